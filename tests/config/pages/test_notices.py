"""Messages of the outbox as people read them: every kind in words, only the reader's own, constant queries."""

from __future__ import annotations

import ast
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from config.accounts.models import Organisation, User
from config.audit.sentences import SENTENCES
from config.demo.pins import CODE as DEMO_PIN
from config.office.models import OutboxMessage
from config.pages.notices import ADVICE
from config.pages.trail_words import FIELDS
from tests.road import assert_same_queries, sign_in

TELLING = {"tell_provider", "tell_deciders", "tell_office", "tell_correctors", "OutboxMessage"}
APPS = ("contracts", "vouchers", "procurement", "settlement")
RETURNED = {"number": "A-7", "reason": "немає підпису", "correct_by": "2025-12-12"}


def test_every_kind_of_message_has_words() -> None:
    assert codes_told() >= {"claim.returned", "appeal.submitted"}
    told = codes_told() | {"appeal.upheld", "appeal.refused", "tender.cancelled", "tender.unsuccessful"}
    told |= {"fee_revision.approved", "fee_revision.to_settle", "fee_revision.guest_to_settle"}
    told |= {"certificate.guest_to_settle", "clearing.norm_put_right"}
    assert told == set(ADVICE)
    assert told <= set(SENTENCES) and DEMO_PIN not in ADVICE
    assert set(RETURNED) <= set(FIELDS)


def codes_told() -> set[str]:
    """Codes of messages that the program writes in so many words."""
    found = set()
    for app in APPS:
        for path in Path(settings.BASE_DIR, app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in TELLING:
                    found |= {text for text in _texts(node) if "." in text and " " not in text}
    # Permissions whose holders are told stand in the same calls.
    return found & set(SENTENCES)


def _texts(node: ast.Call) -> set[Any]:
    values = [*node.args, *(keyword.value for keyword in node.keywords)]
    return {value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)}


def tell(user: User, organisation: Organisation, at: datetime, code: str = "claim.returned") -> None:
    OutboxMessage.objects.create(
        organisation=organisation, user=user, code=code, params=RETURNED, label="settlement.claim:1", created_at=at
    )


@pytest.mark.django_db
def test_a_person_reads_the_own_messages_and_no_others(
    client: Client, organisation: Organisation, cast: dict[str, User], at: datetime
) -> None:
    tell(cast["nadiia"], organisation, at)
    client.cookies["language"] = "en"
    for name, seen in (("nadiia", True), ("taras", False), ("outsider", False)):
        signed = sign_in(client, cast[name])
        for page in ("notices", "home"):
            found = signed.get(reverse(page)).content.decode()
            assert ("The claim was returned to the provider" in found) is seen
            assert ("немає підпису" in found and "12 December 2025" in found) is seen
    assert "There is no message for you." in signed.get(reverse("notices")).content.decode()


@pytest.mark.django_db
def test_messages_cost_the_same_however_many(
    client: Client, organisation: Organisation, cast: dict[str, User], at: datetime
) -> None:
    tell(cast["nadiia"], organisation, at)

    def grow() -> None:
        for _number in range(30):
            tell(cast["nadiia"], organisation, at)

    assert_same_queries(sign_in(client, cast["nadiia"]), reverse("notices"), grow)
