"""What an event kept, as labelled values in the reader's language: sums, dates, states and codes in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.apps import apps
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.accounts.models import User
from config.law_words import act_words, formula_title, parameter_title, value_words
from config.record_names import full_names_of
from config.roles import ROLE_TITLES
from config.statuses import label_of_status
from config.templatetags.show import amount, minor, rate
from procurement.rules import project_budget
from procurement.rules.rejection import GROUNDS
from settlement.finding_words import title_of
from settlement.month_checks import TITLES as MONTH_TITLES
from settlement.ru_form_papers import FORMS
from settlement.statement_words import PART_WORDS
from settlement.statement_words import WORDS as STATEMENT_WORDS

# Longer lists are cut; the record itself shows all of it.
SHOWN = 12

Show = Callable[[Any, str], str]


@dataclass(frozen=True)
class Field:
    """A key of an event's data: its label and how its value is written (value, currency)."""

    label: Any
    show: Show


# --- How values are written --------------------------------------------------------------------------


def _text(value: Any, currency: str) -> str:
    return str(value)


def _number(value: Any, currency: str) -> str:
    try:
        return rate(Decimal(str(value))) if "." in str(value) else str(value)
    except InvalidOperation:
        return str(value)


def _money(value: Any, currency: str) -> str:
    try:
        return amount(Decimal(str(value)), currency)
    except InvalidOperation:
        return str(value)


def _minor(value: Any, currency: str) -> str:
    return minor(int(value), currency)


def _day(value: Any, currency: str) -> str:
    try:
        return date_format(date.fromisoformat(str(value)), "DATE_FORMAT")
    except ValueError:
        return str(value)


def _moment(value: Any, currency: str) -> str:
    try:
        return date_format(localtime(datetime.fromisoformat(str(value))), "DATETIME_FORMAT")
    except ValueError:
        return str(value)


def _month(value: Any, currency: str) -> str:
    try:
        return date_format(date.fromisoformat(f"{value}-01"), "YEAR_MONTH_FORMAT")
    except ValueError:
        return str(value)


def _state(value: Any, currency: str) -> str:
    return label_of_status(str(value))


def _yes_no(value: Any, currency: str) -> str:
    return gettext("yes") if value else gettext("no")


def _how_many(value: Any, currency: str) -> str:
    """Of a list its length, of a table of counts their sum."""
    if isinstance(value, Mapping):
        return str(sum(_sum(item) for item in value.values()))
    return str(len(value)) if isinstance(value, list) else str(value)


def _sum(value: Any) -> int:
    return sum(_sum(item) for item in value.values()) if isinstance(value, Mapping) else int(value)


def _length(value: Any, currency: str) -> str:
    """Of a table the number of its rows, whatever they hold."""
    return str(len(value))


def _listed(show: Show) -> Show:
    """Each of several values, once; one value is a list of one."""

    def written(value: Any, currency: str) -> str:
        values = value if isinstance(value, list) else [value]
        words = list(dict.fromkeys(show(item, currency) for item in values))
        return ", ".join(words[:SHOWN]) + (" …" if len(words) > SHOWN else "")

    return written


def _pairs(key: Show, show: Show) -> Show:
    """A mapping as «key: value; key: value»; a number or a list as it is."""

    def written(value: Any, currency: str) -> str:
        if not isinstance(value, Mapping):
            return _listed(show)(value, currency)
        rows = [f"{key(name, currency)}: {show(item, currency)}" for name, item in value.items()]
        return "; ".join(rows[:SHOWN]) + (" …" if len(rows) > SHOWN else "")

    return written


def _choice(*fields: str) -> Show:
    """The word of a model's choice, the first of these fields ("app.model.field") that knows the code."""

    def written(value: Any, currency: str) -> str:
        for field in fields:
            model, _dot, name = field.rpartition(".")
            for code, words in apps.get_model(model)._meta.get_field(name).choices or ():
                if code == value:
                    return str(words)
        return str(value)

    return written


def _members(value: Any, currency: str) -> str:
    """People of a commission with their seats."""
    rows = User.objects.filter(username__in=value)
    people = {row.username: str(row) for row in rows}
    seat = _choice("procurement.commissionmember.role")
    return "; ".join(f"{people.get(name, name)}: {seat(role, currency)}" for name, role in value.items())


def _record(model: str) -> Show:
    def written(value: Any, currency: str) -> str:
        label = f"{model}:{value}"
        return full_names_of([label])[label]

    return written


def _role(value: Any, currency: str) -> str:
    return str(ROLE_TITLES.get(str(value), value))


def _check(value: Any, currency: str) -> str:
    return f"{title_of(str(value))} ({value})"


def _finding(value: Any, currency: str) -> str:
    return gettext(str(project_budget.TITLES.get(str(value), value)))


def _ground(value: Any, currency: str) -> str:
    ground = GROUNDS.get(str(value))
    return f"{gettext(ground.title)} ({value})" if ground else str(value)


def _month_check(value: Any, currency: str) -> str:
    return str(MONTH_TITLES.get(str(value), value))


def _problem(value: Any, currency: str) -> str:
    words = STATEMENT_WORDS.get(str(value))
    return str(words[0]) if words else str(value)


LEFT_OUT = {
    "NO_ACCOUNT": _("no account number"),
    "NOT_POSITIVE": _("nothing to pay"),
    "HELD": _("payment is held"),
    "GRACE": _("judged too recently"),
    "OWES": _("what it owes for an earlier month is not taken off yet"),
}


def _left_out(value: Any, currency: str) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    return f"{value.get('provider', '')}: {LEFT_OUT.get(str(value.get('reason')), value.get('reason'))}"


def _part(value: Any, currency: str) -> str:
    """A part of a bank record: what it is, the number, the sum."""
    if not isinstance(value, Mapping):
        return str(value)
    words = f"{PART_WORDS.get(str(value.get('kind')), value.get('kind'))} {value.get('number', '')}".strip()
    return f"{words}: {_minor(value.get('amount_minor'), currency)}"


def _parameter(value: Any, currency: str) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    key, stored = str(value.get("key", "")), str(value.get("value", ""))
    return f"{parameter_title(key)}: {value_words(stored)}"


def _formula(value: Any, currency: str) -> str:
    title = formula_title(str(value))
    return f"{title} ({value})" if title else str(value)


def _act(value: Any, currency: str) -> str:
    return act_words(str(value))


def _parameters(value: Any, currency: str) -> str:
    """Versions of law with their values; where only their keys were kept, how many."""
    known = [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
    return _listed(_parameter)(known, currency) if known else _how_many(value, currency)


def _form(value: Any, currency: str) -> str:
    form = FORMS.get(str(value))
    return str(form.title) if form else str(value)


def _fingerprint(value: Any, currency: str) -> str:
    text = str(value)
    return f"{text[:16]}…" if len(text) > 20 else text


# --- Labels ----------------------------------------------------------------------------------------------

_FINGERPRINT = Field(_("Fingerprint of the content"), _fingerprint)
_VALUE_OF_TENDER = Field(_("Value"), _money)
_COUNT_LINES = Field(_("Lines"), _number)

FIELDS: dict[str, Field] = {
    "account": Field(_("Account"), _text),
    "account_kind": Field(_("Kind of account"), _choice("contracts.provideraccount.kind")),
    "advances": Field(_("Advances"), _number),
    "able": Field(_("Members able to vote"), _number),
    "after": Field(_("Became"), _money),
    "amount": Field(_("Amount"), _money),
    "answer": Field(_("Answer"), _choice("settlement.clearingline.answer")),
    "assigned_to": Field(_("Who works on it"), _text),
    "amount_minor": Field(_("Amount"), _minor),
    "as_of": Field(_("What was known by"), _day),
    "awards": Field(_("Awards"), _listed(_text)),
    "basis": Field(_("Ground"), _choice("contracts.contract.basis")),
    "before": Field(_("Was"), _money),
    "bids": Field(_("Bids"), _number),
    "bids_close_at": Field(_("Bids are accepted until"), _moment),
    "carried_minor": Field(_("Went over to the next year"), _minor),
    "changed": Field(_("What was changed"), _how_many),
    "check": Field(_("Check"), _check),
    "claim": Field(_("Claim"), _text),
    "code": Field(_("Code"), _text),
    "codes": Field(_("Codes"), _listed(_text)),
    "conflict": Field(_("Conflict of interest"), _yes_no),
    "content_sha256": _FINGERPRINT,
    "count": Field(_("How many"), _number),
    "counts_as_submitted_at": Field(_("Counts as submitted"), _moment),
    "correct_by": Field(_("To be corrected until"), _day),
    "created": Field(_("New records"), _how_many),
    "differing": Field(_("Rows that differ from the calculation"), _number),
    "digest": _FINGERPRINT,
    "document": Field(_("Document"), _text),
    "event_id": Field(_("Number of the message"), _text),
    "execution_date": Field(_("Day of payment"), _day),
    "booked_on": Field(_("Booked on"), _day),
    "explanation": Field(_("Explanation"), _text),
    "fields": Field(_("What was read"), _how_many),
    "file": Field(_("File"), _text),
    "files": Field(_("Files"), _number),
    "findings": Field(_("Remarks"), _listed(_finding)),
    "form": Field(_("Form"), _form),
    "formula": Field(_("Formula"), _formula),
    "from_date": Field(_("From"), _day),
    "given": Field(_("Approvals so far"), _number),
    "grant": Field(_("Grant asked for"), _money),
    "ground": Field(_("Ground"), _ground),
    "items": Field(_("Needs"), _number),
    "kind": Field(
        _("Kind"),
        _choice(
            "procurement.tender.kind", "vouchers.absence.kind", "contracts.territory.kind", "procurement.planitem.way"
        ),
    ),
    "last_day": Field(_("Last day"), _day),
    "left": Field(_("Tries left"), _number),
    "left_out": Field(_("Left out"), _listed(_left_out)),
    "limits": Field(_("Services with limits"), _length),
    "line": Field(_("Line"), _number),
    "lines": _COUNT_LINES,
    "marks": Field(_("Marks"), _pairs(_text, _number)),
    "matched": Field(_("Matched"), _number),
    "members": Field(_("Members"), _members),
    "milestone": Field(_("Milestone"), _text),
    "mode": Field(_("How the recipient pays"), _choice("vouchers.feeassessment.mode")),
    "month": Field(_("Month"), _month),
    "months": Field(_("Months"), _listed(_month)),
    "needed": Field(_("Approvals needed"), _number),
    "notices": Field(_("Notices"), _number),
    "new_claim": Field(_("Judged again as"), _text),
    "number": Field(_("Number"), _text),
    "on": Field(_("Day"), _day),
    "operator": Field(_("Account of the computer"), _text),
    "outcome": Field(_("Outcome"), _state),
    "overspent": Field(_("Budget lines without enough money"), _listed(_text)),
    "act": Field(_("Act"), _act),
    "parameter": Field(_("Parameter"), _parameter),
    "parameters": Field(_("Numbers of law used"), _parameters),
    "payable_minor": Field(_("Payable from the budget"), _minor),
    "parts": Field(_("Parts"), _listed(_part)),
    "payments": Field(_("Payments"), _listed(_text)),
    "period": Field(_("Month"), _month),
    "problems": Field(_("What is wrong"), _listed(_problem)),
    "pseudonymised": Field(_("Without names"), _yes_no),
    "read": Field(_("Rows read"), _number),
    "reason": Field(_("Reason"), _text),
    "proposed_by": Field(_("Proposed by"), _text),
    "refused": Field(_("Refused rows"), _how_many),
    "refused_cells": Field(_("Cells that are wrong"), _number),
    "released": Field(_("Given back, units"), _number),
    "remittances": Field(_("Remittances"), _number),
    "reserved": Field(_("Set aside from the budget"), _money),
    "reply_until": Field(_("Reply possible until"), _day),
    "use_until": Field(_("To be used until"), _day),
    "return_until": Field(_("To be returned until"), _day),
    "returned_minor": Field(_("Given back to the budget"), _minor),
    "roles": Field(_("Roles"), _listed(_role)),
    "roles_before": Field(_("Roles before"), _listed(_role)),
    "rows": Field(_("Rows"), _how_many),
    "run": Field(_("Adjudication run"), _number),
    "scores": Field(_("Marks"), _number),
    "seal": Field(_("Fingerprint of the sealed bid"), _fingerprint),
    "service": Field(_("Service"), _text),
    "services": Field(_("Services"), _pairs(_text, _number)),
    "reversal": Field(_("Taken back by"), _text),
    "sha256": _FINGERPRINT,
    "submitted_at": Field(_("Really submitted"), _moment),
    "standstill_until": Field(_("Complaints are accepted until"), _moment),
    "status": Field(_("State"), _state),
    "status_from": Field(_("State before"), _state),
    "tables": Field(_("Records"), _how_many),
    "territory": Field(_("Territory"), _text),
    "title": Field(_("Title"), _text),
    "to_date": Field(_("First day after"), _day),
    "told": Field(_("Bidders told"), _how_many),
    "total": Field(_("Total"), _money),
    "totals": Field(_("Points"), _pairs(_record("procurement.bid"), _number)),
    "unchanged": Field(_("Already known"), _number),
    "unit_rate": Field(_("Price of a unit"), _money),
    "units": Field(_("Units"), _number),
    "unspent_minor": Field(_("Not spent, goes back"), _minor),
    "until": Field(_("Until"), _day),
    "username": Field(_("Sign-in name"), _text),
    "valid_from": Field(_("In force from"), _day),
    "valid_to": Field(_("First day after its end"), _day),
    "value": _VALUE_OF_TENDER,
    "version": Field(_("Version"), _number),
    "versions": Field(_("Version of the marks"), _number),
    "warnings": Field(_("Warnings"), _listed(_month_check)),
    "way": Field(_("How it is met"), _choice("procurement.planitem.way")),
    "winner": Field(_("Winner"), _record("procurement.bid")),
    "worker": Field(_("Worker"), _text),
    "year": Field(_("Year"), _text),
    "bank": Field(_("Name of the bank"), _text),
    "columns": Field(_("Columns"), _length),
    "contradicted": Field(_("Answers against a statement"), _number),
    "date": Field(_("Day"), _day),
    "distance_m": Field(_("Metres from the address"), _number),
    "figures": Field(_("Figures"), _length),
    "home": Field(_("Issues the certificates"), _text),
    "host": Field(_("Buys the visits"), _text),
    "net_minor": Field(_("Net sum"), _minor),
    "norm": Field(_("Norm cost that caps the refund"), _choice("contracts.clearingagreement.norm")),
    "iban": Field(_("Account, last digits"), _text),
    "name": Field(_("Name"), _text),
    "reasons": Field(_("Reasons"), _listed(_text)),
    "recipient": Field(_("Recipient"), _text),
    "recipients": Field(_("Recipients"), _number),
    "session": Field(_("Number at Stripe"), _text),
    "since": Field(_("Since"), _day),
    "source": Field(_("Source"), _text),
    "taken": Field(_("Taken by the bank"), _number),
    "total_minor": Field(_("Total"), _minor),
    "user": Field(_("Person"), _text),
    "weekdays": Field(_("Days of the week"), _listed(_text)),
}

# A key that one kind of event means otherwise.
OF_EVENT: dict[tuple[str, str], Field] = {
    ("correction.approved", "run"): Field(_("Adjudication run"), _text),
    ("correction.objection_answered", "outcome"): Field(_("Outcome"), _state),
    ("fee_revision.objection_answered", "outcome"): Field(_("Outcome"), _state),
    ("correction.proposed", "left_out"): Field(_("Left out"), _listed(_text)),
    ("provider.account_changed", "before"): Field(_("Account before, last digits"), _text),
    ("claim.corrected", "before"): Field(_("Lines before"), _how_many),
    ("claims.adjudicated", "number"): Field(_("Adjudication run"), _number),
    ("budget_line.amended", "basis"): Field(_("Ground"), _text),
    ("contract.amended", "basis"): Field(_("Ground"), _text),
    ("contract.past_terms_approved", "basis"): Field(_("Ground"), _text),
    ("contract.past_terms_proposed", "basis"): Field(_("Ground"), _text),
    ("run.examined", "drawn"): Field(_("Visits drawn"), _number),
    ("run.examined", "hints"): Field(_("Hints of closeness"), _number),
    ("visit.verified", "outcome"): Field(_("Outcome"), _choice("settlement.verificationresult.outcome")),
    ("visit.verified", "checked_on"): Field(_("Verified on"), _day),
    ("visit.verified", "note"): Field(_("What was learnt"), _text),
    ("mandate.recorded", "basis"): Field(_("Ground"), _text),
    ("norm_cost.ended", "basis"): Field(_("Ground"), _text),
    ("services.adopted", "services"): Field(_("Services"), _how_many),
    ("package.imported", "created"): Field(_("New records"), _how_many),
}


def values_of(action: str, data: Mapping[str, Any], currency: str) -> list[tuple[str, str]]:
    """Labels with values, in the order in which the event was written; what is empty is left out.

    A key without a label (an event from elsewhere) keeps its name.
    """
    return [_shown(action, key, value, currency) for key, value in data.items() if value not in (None, "", [], {})]


def _shown(action: str, key: str, value: Any, currency: str) -> tuple[str, str]:
    field = OF_EVENT.get((action, key)) or FIELDS.get(key)
    if field is None:
        return key, str(value)
    return str(field.label), field.show(value, currency)
