"""What one needs to know to choose among waiting records: who, how much, since when, why. One table for all lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from config.law_words import act_words, value_words
from config.templatetags.show import iban
from settlement.finding_words import title_of
from settlement.line_queries import main_checks
from settlement.models import Adjudication
from vouchers.queries import mask_name

# Kinds of cells; each has its way of writing in the template.
TEXT, LONG, DAY, MOMENT, MONTH, LAST_DAY = "text", "long", "day", "moment", "month", "last"
MINOR, AMOUNT, E4, RATE = "minor", "amount", "e4", "rate"
DAYS = (DAY, MOMENT, LAST_DAY)
SUMS = (MINOR, AMOUNT, E4, RATE)


@dataclass(frozen=True)
class Column:
    """A heading and where its cell is read: a path from the row, or words looked up for all rows at once, by key."""

    heading: Any
    path: str = ""
    kind: str = TEXT
    words: Callable[[Any], Any] | None = None
    look_up: Callable[[Iterable[Any]], dict[int, str]] | None = None

    @property
    def css(self) -> str:
        """Class of the heading and the cells."""
        return "money" if self.kind in SUMS else "wide" if self.kind == LONG else "date" if self.kind in DAYS else ""


def _reasons(rows: Iterable[Adjudication]) -> dict[int, str]:
    """Why lines were refused or reduced: what took most of each."""
    return {pk: title_of(code) for pk, code in main_checks(rows).items()}


_SINCE = _("Since")
_SUM = _("Amount")
_PROVIDER = _("Provider")
_RECIPIENT = _("Recipient")
_REASON = _("Reason")
_MONTH = _("Month")
_BUYER = _("Buyer")
_VALUE = Column(_SUM, "value", AMOUNT)
_BIDS_UNTIL = Column(_("Bids until"), "bids_close_at", MOMENT)
_ASKED_BACK = (
    Column(_PROVIDER, "provider"),
    Column(_("Asked back"), "asked", MINOR),
    Column(_SINCE, "status_at", DAY),
    Column(_("What was found"), "finding", LONG),
)
_TO_PAY = (
    Column(_PROVIDER, "provider"),
    Column(_MONTH, "run.period", MONTH),
    Column(_SUM, "payable", MINOR),
    Column(_("Judged on"), "run.as_of", DAY),
)
_PAYMENT_RUN = (
    Column(_MONTH, "period", MONTH),
    Column(_SUM, "total", AMOUNT),
    Column(_("Proposed by"), "proposed_by"),
    Column(_SINCE, "status_at", DAY),
)
_SEAT = (Column(_("Opened"), "tender.opened_at", DAY), Column(_SUM, "tender.value", AMOUNT))

COLUMNS: dict[str, tuple[Column, ...]] = {
    "bids_to_open": (_BIDS_UNTIL, _VALUE),
    "awards_to_conclude": (
        Column(_("Winner"), "bid.provider"),
        Column(_("Stand-still until"), "standstill_until", MOMENT),
        Column(_SUM, "tender.value", AMOUNT),
    ),
    "competitions_to_approve": (Column(_("Written by"), "author"), _VALUE),
    "norms_to_approve": (
        Column(_("Unit cost"), "unit_rate", RATE),
        Column(_("Written by"), "author"),
        Column(_SINCE, "recorded_at", DAY),
    ),
    "past_terms_to_approve": (
        Column(_("Contract"), "contract"),
        Column(_("New price of a unit"), "unit_rate", RATE),
        Column(_("In force from"), "valid_from", DAY),
        Column(_("Written by"), "author"),
        Column(_SINCE, "recorded_at", DAY),
    ),
    "declarations": _SEAT,
    "competitions_to_score": _SEAT,
    "contracts": (
        Column(_PROVIDER, "provider"),
        Column(_("Amount at most"), "ceiling", AMOUNT),
        Column(_("Last day"), "valid_to", LAST_DAY),
    ),
    "recipients_unassessed": (
        Column(_("Name"), "name", words=mask_name),
        Column(_("On the register since"), "registered_at", DAY),
    ),
    "plans_without_certificate": (
        Column(_("Name"), "recipient.name", words=mask_name),
        Column(_("Plan"), "number"),
        Column(_SINCE, "recorded_at", DAY),
    ),
    "certificates_ending": (
        Column(_RECIPIENT, "recipient"),
        Column(_("Name"), "recipient.name", words=mask_name),
        Column(_("Last day"), "valid_to", LAST_DAY),
    ),
    "claims_unsubmitted": (
        Column(_MONTH, "period", MONTH),
        Column(_BUYER, "organisation"),
        Column(_("Claimed"), "claimed", E4),
        Column(_SINCE, "status_at", DAY),
    ),
    "lines_refused": (
        Column(_("Date"), "claim_line.service_date", DAY),
        Column(_("Service"), "claim_line.service"),
        Column(_("Certificate"), "claim_line.certificate_number"),
        Column(_("Claimed"), "amount_claimed", MINOR),
        Column(_("Allowed"), "gross", MINOR),
        Column(_REASON, kind=LONG, look_up=_reasons),
    ),
    "competitions_open": (Column(_BUYER, "organisation"), _VALUE, _BIDS_UNTIL),
    "appeals_to_answer": (
        Column(_PROVIDER, "claim.provider"),
        Column(_SINCE, "recorded_at", DAY),
        Column(_REASON, "reason", LONG),
    ),
    "corrections_to_approve": (
        Column(_MONTH, "month", MONTH),
        Column(_("Paid from the budget"), "payable_minor", MINOR),
        Column(_("Proposed by"), "proposed_by"),
        Column(_SINCE, "proposed_at", DAY),
        Column(_REASON, "reason", LONG),
    ),
    "objections_to_answer": (
        Column(_RECIPIENT, "recipient"),
        Column(_SINCE, "recorded_at", DAY),
        Column(_REASON, "reason", LONG),
    ),
    "fee_revisions_to_approve": (
        Column(_RECIPIENT, "recipient"),
        Column(_("Proposed by"), "proposed_by"),
        Column(_SINCE, "proposed_at", DAY),
        Column(_REASON, "reason", LONG),
    ),
    "fee_objections_to_answer": (
        Column(_RECIPIENT, "revision.recipient"),
        Column(_SINCE, "recorded_at", DAY),
        Column(_REASON, "reason", LONG),
    ),
    "fee_refunds_to_approve": (
        Column(_RECIPIENT, "receipt.notice.recipient"),
        Column(_SUM, "amount_minor", MINOR),
        Column(_("Asked for by"), "requested_by"),
        Column(_SINCE, "requested_at", DAY),
        Column(_REASON, "reason", LONG),
    ),
    "own_fees": (Column(_MONTH, "month", MONTH), Column(_("Left to pay"), "left_minor", MINOR)),
    "advances_to_grant": (
        Column(_PROVIDER, "provider"),
        Column(_SUM, "amount_minor", MINOR),
        Column(_("What the advance is for"), "purpose", LONG),
        Column(_SINCE, "status_at", DAY),
    ),
    "own_advances_to_return": (
        Column(_("Left"), "outstanding", MINOR),
        Column(_("To be returned until"), "return_until", DAY),
        Column(_SINCE, "status_at", DAY),
    ),
    "clawbacks_to_send": _ASKED_BACK,
    "clawbacks_to_decide": _ASKED_BACK,
    "sums_to_pay": _TO_PAY,
    "sums_held": _TO_PAY,
    "runs_to_approve": _PAYMENT_RUN,
    "runs_to_release": _PAYMENT_RUN,
    "silent_payments": (
        Column(_PROVIDER, "provider"),
        Column(_SUM, "open_minor", MINOR),
        Column(_("Payment day"), "payment_run.execution_date", DAY),
    ),
    "bank_acts": (Column(_("Account"), "iban", words=iban), Column(_SINCE, "drawn_at", DAY)),
    "clearing_to_sign": (
        Column(_MONTH, "period", MONTH),
        Column(_("Drawn up by"), "drawn_by"),
        Column(_SINCE, "recorded_at", DAY),
    ),
    "terms_to_decide": (
        Column(_PROVIDER, "claim.provider"),
        Column(_("Proposed by"), "proposed_by"),
        Column(_SINCE, "proposed_at", DAY),
        Column(_REASON, "reason", LONG),
    ),
    "parameters_to_approve": (
        Column(_("Value"), "value", words=value_words),
        Column(_("Written by"), "author"),
        Column(_SINCE, "recorded_at", DAY),
    ),
    "parameters_unverified": (Column(_("Value"), "value", words=value_words), Column(_("Act"), "act", words=act_words)),
    "failed_jobs": (Column(_SINCE, "created_at", MOMENT), Column(_REASON, "error", LONG)),
}


def related_of(model: type[Model], columns: Iterable[Column]) -> set[str]:
    """Records that must be read with the rows, as select_related wants them."""
    return {path for column in columns if (path := _relations(model, column.path))}


def _relations(model: Any, path: str) -> str:
    """The leading part of a path that leads over other records."""
    found = []
    for name in filter(None, path.split(".")):
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:
            break  # a figure that the query adds
        if not field.is_relation:
            break
        found.append(name)
        model = field.related_model
    return "__".join(found)


def cells_of(rows: list[Any], columns: tuple[Column, ...]) -> list[list[tuple[Column, Any]]]:
    """The cells of each row with their columns; one query a looked-up column."""
    looked = {column: column.look_up(rows) for column in columns if column.look_up}
    return [[(column, _cell(column, row, looked.get(column))) for column in columns] for row in rows]


def _cell(column: Column, row: Any, looked: dict[int, str] | None) -> Any:
    if looked is not None:
        return looked.get(row.pk, "")
    value = row
    for name in column.path.split("."):
        value = getattr(value, name, None)
    return column.words(value or "") if column.words else value
