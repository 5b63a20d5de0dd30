"""What each finding of an application says to a person, in sentences filled with the figures that it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.templatetags.components import figure
from procurement.rules.rejection import GROUNDS

BASES = {
    "OWN": _("own funds"),
    "OWN+PARTNERS": _("own funds and those of the partners"),
    "OWN_PARTNERS": _("own funds and those of the partners"),
    "ALL_NON_GRANT": _("all money beside the grant"),
}
# Sums stand in the unit of the form.
SENTENCES: dict[str, Any] = {
    "SOURCES_NE_TOTAL": _("The budget is declared as %(declared)s, the sources come to %(sources)s: %(diff)s apart."),
    "BUDGET_ITEMS_NE_TOTAL": _(
        "The budget is declared as %(declared)s, the expense items come to %(items)s: %(diff)s apart."
    ),
    "SOURCES_NE_ITEMS": _("The sources come to %(sources)s, the expense items to %(items)s: %(diff)s apart."),
    "ITEM_COUNT": _("The text speaks of %(declared)s expense items, the table has %(items)s."),
    "SHARE_DIFF": _("The share of «%(source)s» is declared as %(declared)s %%, it is %(computed)s %%."),
    "SHARE_ROUNDED": _("The declared share of «%(source)s», %(declared)s %%, agrees: only the rounding differs."),
    "EARMARK_DIFF": _(
        "«%(source)s» gives %(contribution)s, the items that it alone pays come to %(items)s: %(diff)s apart."
    ),
    "COFINANCE_BELOW_MIN": _("Co-financing (%(basis)s) is %(share)s %%, the least is %(min)s %%."),
    "GRANT_ABOVE_CAP": _("The grant asked for is %(grant)s, the call has %(cap)s."),
    "SOURCE_CONDITIONAL": _("%(amount)s of «%(source)s» come only if the contest is won: they are not certain."),
    "ATTACHMENT_MISSING": _("The document «%(name)s» is missing."),
    "PLAN_ORDER": _("In the work plan month %(block)s stands before month %(before)s."),
    "PLAN_GAP": _("The work plan has nothing for the months %(months)s."),
    "PLAN_BEYOND": _("The work of months %(block)s ends after the project, which has %(duration)s months."),
    "LIST_GAP": _("In the list of activities the numbers %(numbers)s are missing."),
    "KPI_NO_GROWTH": _("The target of «%(indicator)s», %(target)s, is not above what there is now."),
    "KPI_NE_PLAN": _("The text says %(stated)s of «%(indicator)s»: not what stands in the table."),
    "PARTNERS_DIFF": _("The annotation speaks of %(declared)s partners, the text names %(listed)s."),
    "PAGES_DIFF": _("The contents refer to page %(referred)s, but the application has %(declared)s pages."),
}
NAMES = frozenset({"source", "name", "indicator"})


def sentence_of(code: str, params: Mapping[str, str]) -> str:
    """A finding in the reader's language; of a ground for rejection its title."""
    if code in GROUNDS:
        return gettext(GROUNDS[code].title) + "."
    return str(SENTENCES[code]) % {key: _said(key, value) for key, value in params.items()}


def with_code(code: str, params: Mapping[str, str]) -> str:
    """The sentence and, in brackets, the code by which a finding is told to others."""
    return f"{sentence_of(code, params)[:-1]} ({code})."


def _said(key: str, value: str) -> str:
    if key in NAMES:
        return value
    if key == "basis":
        return str(BASES[value])
    return figure(value) if "-" not in value[1:] else value.replace("-", "–")
