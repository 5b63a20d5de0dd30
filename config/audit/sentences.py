"""Codes of events as sentences: what a person reads in the trail."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

SENTENCES: dict[str, Any] = {
    "organisation.created": _("The organisation was registered"),
    "user.invited": _("A person was invited and got roles"),
    "user.deactivated": _("A person's access was closed"),
}


def sentence_of(code: str) -> str:
    """The sentence of a code, or the code itself when none is known."""
    return str(SENTENCES.get(code, code))


def codes_matching(words: str) -> list[str]:
    """Codes whose sentence in the reader's language contains the words."""
    sought = words.casefold()
    return [code for code in SENTENCES if sought in sentence_of(code).casefold()]
