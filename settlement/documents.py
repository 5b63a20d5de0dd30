"""Documents of payments: the remittance advice and the act of reconciliation, tagged PDF for people (PDF/UA-1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from django.db.models import Q, QuerySet, Sum
from django.template.loader import render_to_string
from django.utils.translation import gettext, override

from config.accounts.models import Organisation
from config.clock import local_date
from contracts.models import Provider
from settlement.advance_queries import used_by
from settlement.clawback_queries import offsets_of
from settlement.correction_queries import sums_of, with_titles
from settlement.finance_queries import JudgedAgain, asked_back_of_month, judged_again, paid_for_month
from settlement.models import (
    AdvanceUse,
    BankAct,
    Claim,
    ClawbackCase,
    ClawbackRecovery,
    Correction,
    CorrectionLine,
    FeeNotice,
    Payment,
    Remittance,
)
from settlement.rules.figures import CLAIM_FIGURES
from vouchers.models import FeeRevision, Recipient


@dataclass(frozen=True)
class ActRow:
    """A row of the act: what was owed by a claim or paid; minor units, one of the two sides filled."""

    on: date
    text: str
    owed: int
    paid: int


@dataclass(frozen=True)
class PaidClaim:
    """A claim in a payment, minor units: amount_claimed = reductions + pended + gross. A line that waited and was then
    judged again counts once when both decisions are in the payment.
    """

    claim: Claim
    amount_claimed: int
    reductions: int
    pended: int
    gross: int
    fee: int
    offsets: int
    payable: int


def document_language(organisation: Organisation) -> str:
    """Documents are in the state language of the organisation, whoever reads the screen."""
    return "ru" if organisation.jurisdiction == "RU" else "uk"


def remittance_advice(payment: Payment) -> bytes:
    """PDF that explains a payment claim by claim: claimed, reduced, waiting, allowed, recipients' fees, paid.

    Money: minor units of the payment's currency; the last line equals the payment.
    """
    claims = paid_claims(payment)
    totals = {name: sum(getattr(row, name) for row in claims) for name in CLAIM_FIGURES}
    context = {"payment": payment, "claims": claims, "totals": totals, "kept_back": kept_back(payment)}
    context["earlier"] = any(row.claim.period != payment.payment_run.period for row in claims)
    context |= {"used": advances_used(payment), "advances": payment.advance_items.select_related("advance__contract")}
    return pdf_of("documents/remittance.html", context, payment.organisation, payment.payment_run.status_at)


# A longer list makes a paper that nobody reads; the account shows every line.
NOTICE_LINES = 150


def paid_claims(payment: Payment) -> list[PaidClaim]:
    """Claims that a payment pays or, when it failed or came back, was to pay, by number."""
    rows = Remittance.objects.filter(payment_items__payment=payment).select_related("claim")
    found = list(rows.order_by("claim__number", "id"))
    twice = judged_again(row.pk for row in found)
    return [_paid_claim(list(parts), twice) for _key, parts in groupby(found, key=lambda row: row.claim_id)]


def kept_back(payment: Payment) -> QuerySet[ClawbackRecovery]:
    """What the runs of a payment kept back from its provider for clawbacks (CLM-46), also where nothing was left to
    pay of the claim.
    """
    return offsets_of(_lowered(payment))


def advances_used(payment: Payment) -> QuerySet[AdvanceUse]:
    """What claims of the runs of a payment used of advances of its provider, also where nothing was left to pay."""
    return used_by(_lowered(payment))


def _lowered(payment: Payment) -> QuerySet[Remittance]:
    runs = Remittance.objects.filter(payment_items__payment=payment).values("run")
    paid = Q(payable=0) | Q(payment_items__payment=payment)
    rows = Remittance.objects.filter(paid, run__in=runs, provider=payment.provider)
    return rows.exclude(offsets=0).distinct()


def _paid_claim(parts: list[Remittance], twice: Mapping[int, JudgedAgain]) -> PaidClaim:
    claim = parts[0].claim
    sums = {name: sum(getattr(row, name) for row in parts) for name in CLAIM_FIGURES}
    again = twice.get(claim.pk, JudgedAgain(0, 0, 0))
    sums["amount_claimed"] -= again.claimed
    sums["pended"] -= again.pended
    sums["reductions"] = sums["amount_claimed"] - sums["pended"] - sums["gross"]
    return PaidClaim(claim, **sums)


def reconciliation_act(*, organisation: Organisation, provider: Provider, month: date, made_at: datetime) -> bytes:
    """PDF in which buyer and provider state the same month: every claim, every payment and what is left.

    Money: minor units. ``month`` is the first day of the settled month.
    """
    rows = act_rows(organisation, provider, month)
    owed, paid = sum(row.owed for row in rows), sum(row.paid for row in rows)
    context = {
        "provider": provider,
        "month": month,
        "rows": rows,
        "owed": owed,
        "paid": paid,
        "left": owed - paid,
        "made_at": made_at,
    }
    return pdf_of("documents/reconciliation_act.html", context, organisation, made_at)


def act_rows(organisation: Organisation, provider: Provider, month: date) -> list[ActRow]:
    """Claims of a month as they were adjudicated and the payments that cover them, in order of days."""
    with override(document_language(organisation)):
        rows = [*_owed(organisation, provider, month), *_paid(organisation, provider, month)]
    return sorted(rows, key=lambda row: (row.on, row.text))


def _owed(organisation: Organisation, provider: Provider, month: date) -> list[ActRow]:
    found = Remittance.objects.filter(run__organisation=organisation, run__period=month, provider=provider)
    return [
        ActRow(row.run.as_of, gettext("Claim %(number)s") % {"number": row.claim.number}, row.payable, 0)
        for row in found.exclude(payable=0).select_related("run", "claim")
    ]


def _paid(organisation: Organisation, provider: Provider, month: date) -> list[ActRow]:
    paid = Payment.objects.filter(organisation=organisation, provider=provider, status="confirmed")
    rows = [
        ActRow(payment.payment_run.execution_date or month, _paid_words(payment, amount), 0, amount)
        for payment, amount in paid_for_month(paid, month)
    ]
    return rows + [
        ActRow(local_date(case.decided_at, organisation.zone), _asked_words(case), 0, -case.debt_minor)
        for case in asked_back_of_month(organisation, month).filter(provider=provider)
        if case.decided_at
    ]


def _asked_words(case: ClawbackCase) -> str:
    return gettext("Asked back by the case %(number)s") % {"number": case.number}


def _paid_words(payment: Payment, amount: int) -> str:
    words = gettext("Payment %(reference)s") if amount > 0 else gettext("Taken off the payment %(reference)s")
    return words % {"reference": payment.reference}


def fee_notice(notice: FeeNotice, services: Sequence[object], name: str, overpaid_minor: int) -> bytes:
    """PDF that asks a recipient for the fee of a month: the sum, the services behind it, the account and reference to
    quote, and where to say that it is wrong.

    ``notice`` carries its sums, ``services`` are ``services_of`` it (fee_queries). ``name``: whom it is to, as the
    reader may see it. Money: minor units.
    """
    charges = notice.charges.values("provider__name").annotate(amount=Sum("amount_minor")).order_by("provider__name")
    context = {
        "notice": notice,
        "charges": charges,
        "services": services,
        "name": name,
        "overpaid_minor": overpaid_minor,
    }
    return pdf_of("documents/fee_notice.html", context, notice.organisation, notice.issued_at)


def correction_notice(
    correction: Correction,
    lines: QuerySet[CorrectionLine],
    until: date,
    name: str,
    recipient: Recipient | None = None,
) -> bytes:
    """PDF that tells a provider, or a recipient, what a correction of a closed month changes for them, and until when
    they can dispute it. Money: minor units.
    """
    sums = sums_of(lines)
    rows = list(lines[:NOTICE_LINES])
    context = {
        "correction": correction,
        "lines": with_titles(rows),
        "more": lines.count() - len(rows),
        "sums": sums,
        "until": until,
        "name": name,
        "recipient": recipient,
    }
    return pdf_of("documents/correction_notice.html", context, correction.organisation, correction.status_at)


def fee_revision_notice(
    revision: FeeRevision, replaced: Sequence[Mapping[str, object]], until: date, name: str
) -> bytes:
    """PDF that tells a recipient how their fee of past months was decided anew, and until when they can dispute it."""
    context = {"revision": revision, "replaced": replaced, "until": until, "name": name}
    return pdf_of("documents/fee_revision.html", context, revision.organisation, revision.status_at)


def bank_act(
    act: BankAct, rows: Sequence[tuple[object, int | None]], lines: Sequence[tuple[int, str, date, int]] = ()
) -> bytes:
    """PDF of a month's reconciliation with the bank: figures in minor units as the signers saw them, the lines that
    were open then (key, name, day, minor units), and who signed.
    """
    signatures = list(act.signatures.select_related("signed_by").order_by("place"))
    context = {"act": act, "rows": rows, "lines": lines, "signatures": signatures}
    context["currency"] = act.organisation.currency
    return pdf_of("documents/bank_act.html", context, act.organisation, act.drawn_at)


def pdf_of(
    template: str,
    context: dict[str, object],
    organisation: Organisation,
    made_at: datetime | None,
    language: str = "",
    data: Mapping[str, bytes] | None = None,
) -> bytes:
    """A paper for people (PDF/UA-1); with ``data``, files by name, a tagged record that carries them (PDF/A-3a)."""
    # Loading WeasyPrint takes two seconds: not in every process that only imports this module.
    from weasyprint import HTML, Attachment

    language = language or document_language(organisation)
    with override(language):
        values = {**context, "organisation": organisation, "language": language, "created": made_at}
        html = render_to_string(template, values)
        files = [Attachment(string=text, name=name, relationship="Data") for name, text in (data or {}).items()]
        return bytes(HTML(string=html).write_pdf(pdf_variant="pdf/a-3a" if files else "pdf/ua-1", attachments=files))
