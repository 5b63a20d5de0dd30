"""What a provider signs about a claim: the act of services and the invoice, each one table, as PDF or XLSX."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from config.clock import local_date
from config.money import from_minor, from_rate, from_units
from config.templatetags.show import minor
from settlement.documents import document_language
from settlement.line_queries import claim_totals, claimed_minor, outcome_counts
from settlement.models import Claim
from settlement.printed_tables import CheckSum, Column, PrintedTable, Section
from settlement.term_queries import restored_term

# Money: round(units x rate, 2) of each line, then summed, as adjudication starts.
_SERVICES = """
SELECT COALESCE(s.name_uk, l.service_code), COALESCE(s.name_ru, ''), l.unit_rate_e4, count(*),
    sum(l.units_milli)::bigint, sum((l.units_milli * l.unit_rate_e4 + 50000) / 100000)::bigint
FROM settlement_claimline l LEFT JOIN contracts_service s ON s.id = l.service_id
WHERE l.claim_id = %s GROUP BY 1, 2, 3 ORDER BY 1, 3
"""
_COLUMNS = (
    Column(_("Service")),
    Column(_("Visits"), "count"),
    Column(_("Units"), "units"),
    Column(_("Price of a unit"), "rate"),
    Column(_("Amount"), "amount", summed=True),
)
_TITLES = {"act": _("Act of services %(number)s"), "invoice": _("Invoice %(number)s")}
_CAPTIONS = {"act": _("Services that were given"), "invoice": _("Services to be paid")}
_VAT = _("Without value added tax. What is allowed and paid follows from the decision on each visit.")
_FEE_LATER = _(
    "Recipients pay their part (the fee) to the provider themselves. It is taken off when the claim is decided, and "
    "the budget pays the rest."
)
_FEE_DECIDED = _(
    "As decided: %(gross)s are allowed. Of it %(fee)s are the recipients' part (the fee), which they pay to the "
    "provider, and %(payable)s are to be paid from the budget."
)
_AGREED = _("The services above were given; the parties sign that they agree on their kind and quantity.")


def claim_paper(claim: Claim, kind: str, *, made_at: datetime) -> PrintedTable:
    """A claim by service and price, in the state language. ``kind``: act or invoice."""
    act = kind == "act"
    judged = claim.reverses or claim
    rows = _services(judged)
    language = document_language(claim.organisation)
    with override(language):
        title = str(_TITLES[kind]) % {"number": claim.number}
        notes = [_VAT, *([_AGREED] if act else _parts(claim))]
    by_visit, by_price = from_minor(claimed_minor(judged)), sum((row[-1] for row in rows), from_minor(0))
    return PrintedTable(
        title=title,
        author=_named(claim.provider),
        facts=[*_facts(claim, made_at), *([] if act else [(_("Account"), claim.provider.iban)])],
        caption=_CAPTIONS[kind],
        columns=_COLUMNS,
        sections=[Section(rows)],
        checks=[CheckSum(_("All visits of the claim"), by_visit, by_price)],
        notes=notes,
        signers=[_("Provider"), *([_("Buyer")] if act else [])],
        language=language,
        currency=claim.organisation.currency,
    )


def _parts(claim: Claim) -> list[str]:
    """Who pays the invoice: the recipients their fee to the provider, the budget the rest; known when it is decided."""
    if claim.reverses_id or not outcome_counts(claim):
        return [str(_FEE_LATER)]
    totals, currency = claim_totals(claim), claim.organisation.currency
    sums = {name: minor(totals[name], currency) for name in ("gross", "fee", "payable")}
    return [str(_FEE_DECIDED) % sums]


def _facts(claim: Claim, made_at: datetime) -> list[tuple[Any, str]]:
    return [
        (_("Provider"), _named(claim.provider)),
        (_("Buyer"), _named(claim.organisation)),
        (_("Contract"), claim.contract_number),
        (_("Month of the services"), f"{claim.period:%m.%Y}"),
        (_("Date"), f"{local_date(made_at, claim.organisation.zone):%d.%m.%Y}"),
        *_counted(claim),
    ]


def _counted(claim: Claim) -> list[tuple[Any, str]]:
    """The day on which a claim that came late counts as submitted."""
    term = restored_term(claim)
    if term is None or term.counts_as_submitted_at is None:
        return []
    day = local_date(term.counts_as_submitted_at, claim.organisation.zone)
    return [(_("Counts as submitted"), f"{day:%d.%m.%Y}")]


def _named(party: Any) -> str:
    return ", ".join(filter(None, (party.name, party.registration_code)))


def _services(claim: Claim) -> list[tuple[str, int, Decimal, Decimal, Decimal]]:
    russian = claim.organisation.jurisdiction == "RU"
    with connection.cursor() as cursor:
        cursor.execute(_SERVICES, [claim.pk])
        found = cursor.fetchall()
    return [
        ((russian and name_ru) or name_uk, visits, from_units(count), from_rate(rate), from_minor(total))
        for name_uk, name_ru, rate, visits, count, total in found
    ]
