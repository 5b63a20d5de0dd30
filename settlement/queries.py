"""Reads of claims, adjudication runs and the ledger. The number of queries does not depend on the number of rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum

from config.accounts.models import Organisation
from config.money import from_minor, from_rate, from_units
from contracts.models import Provider
from settlement.explanations import Explained, explain, title_of
from settlement.models import (
    Account,
    Adjudication,
    AdjudicationRun,
    Claim,
    ClaimLine,
    Entry,
    Finding,
    Posting,
    Remittance,
)


def claims(
    *,
    organisation: Organisation | None = None,
    provider: Provider | None = None,
    search: str = "",
    status: str = "",
    period: date | None = None,
) -> QuerySet[Claim]:
    """Claims of an office, of a provider, or of both, newest first; ``line_count`` and ``gross_minor`` beside them."""
    gross = Remittance.objects.filter(claim=OuterRef("pk")).values("claim").annotate(total=Sum("gross"))
    payable = Remittance.objects.filter(claim=OuterRef("pk")).values("claim").annotate(total=Sum("payable"))
    rows = Claim.objects.select_related("provider", "organisation").annotate(
        line_count=Count("lines"),
        gross_minor=Subquery(gross.values("total")),
        payable_minor=Subquery(payable.values("total")),
    )
    if organisation:
        rows = rows.filter(organisation=organisation)
    if provider:
        rows = rows.filter(provider=provider)
    elif organisation:
        rows = rows.exclude(status="draft")
    if search:
        rows = rows.filter(Q(number__icontains=search) | Q(provider__name__icontains=search))
    if status:
        rows = rows.filter(status=status)
    if period:
        rows = rows.filter(period=period)
    return rows.order_by("-period", "-id")


@dataclass(frozen=True)
class Step:
    """One step of a line's waterfall: what a finding took and what was left after it."""

    finding: Explained
    left: Decimal


@dataclass(frozen=True)
class JudgedLine:
    """A claim line with its latest adjudication. Amounts 2 places, units 3, rates 4."""

    line: ClaimLine
    units: Decimal
    unit_rate: Decimal
    amount_claimed: Decimal
    adjudication: Adjudication | None
    units_allowed: Decimal
    rate_allowed: Decimal
    gross: Decimal
    fee: Decimal
    payable: Decimal
    steps: tuple[Step, ...]
    remarks: tuple[Explained, ...]

    @property
    def outcome(self) -> str:
        """accepted, reduced, rejected, pended; empty before adjudication."""
        return self.adjudication.outcome if self.adjudication else ""


def claim_lines(claim: Claim) -> QuerySet[ClaimLine]:
    """Lines in their order, with the recipient's certificate and the service."""
    return claim.lines.select_related("service", "certificate__recipient", "worker").order_by("line")


def judge_lines(lines: Sequence[ClaimLine]) -> list[JudgedLine]:
    """Lines (a page of them) with their waterfalls: two queries.

    The steps stand in the order in which they took; findings that took nothing are remarks.
    """
    latest: dict[int, Adjudication] = {}
    ids = [line.pk for line in lines]
    rows = Adjudication.objects.filter(claim_line__in=ids, reverses__isnull=True).select_related("run").order_by("pk")
    latest.update((row.claim_line_id, row) for row in rows)
    found: dict[int, list[Finding]] = defaultdict(list)
    for finding in Finding.objects.filter(claim_line__in=ids).order_by("check_code"):
        judged = latest.get(finding.claim_line_id)
        if judged and judged.run_id == finding.run_id:
            found[finding.claim_line_id].append(finding)
    return [_judged(line, latest.get(line.pk), found[line.pk]) for line in lines]


# Rates, rejections, pends, unit cuts, money cuts: the order of the waterfall.
_CUTS = {"CLM-16": 0, "CLM-17": 1, "CLM-14": 40, "CLM-13": 41, "CLM-12": 42, "CLM-15": 43, "CLM-18": 50, "CLM-19": 51}
_OTHERS = {"R": 2, "P": 3, "C": 49, "W": 60}


def _turn(finding: Finding) -> tuple[int, str]:
    place = _CUTS.get(finding.check_code) if finding.severity == "C" else None
    return (_OTHERS.get(finding.severity, 60) if place is None else place), finding.check_code


def _judged(line: ClaimLine, row: Adjudication | None, findings: list[Finding]) -> JudgedLine:
    steps, remarks = [], []
    left = row.amount_claimed if row else 0
    for finding in sorted(findings, key=_turn):
        left -= finding.amount
        explained = explain(finding)
        if finding.amount or finding.units:
            steps.append(Step(explained, from_minor(left)))
        else:
            remarks.append(explained)
    return JudgedLine(
        line=line,
        units=from_units(line.units_milli),
        unit_rate=from_rate(line.unit_rate_e4),
        amount_claimed=from_rate(line.amount_e4),
        adjudication=row,
        units_allowed=from_units(row.units_allowed if row else 0),
        rate_allowed=from_rate(row.rate_allowed if row else 0),
        gross=from_minor(row.gross if row else 0),
        fee=from_minor(row.fee if row else 0),
        payable=from_minor(row.payable if row else 0),
        steps=tuple(steps),
        remarks=tuple(remarks),
    )


def remittances_of(claim: Claim) -> QuerySet[Remittance]:
    """What each run made of a claim, in their order."""
    return claim.remittances.select_related("run", "provider").order_by("run__period", "run__number")


def adjudication_runs(organisation: Organisation, period: date | None = None) -> QuerySet[AdjudicationRun]:
    """Runs of an office, newest first."""
    rows = AdjudicationRun.objects.filter(organisation=organisation).select_related("started_by")
    return (rows.filter(period=period) if period else rows).order_by("-period", "-number")


def remittances_of_run(run: AdjudicationRun) -> QuerySet[Remittance]:
    """What a run made of each claim."""
    return run.remittances.select_related("claim", "provider").order_by("claim__number")


@dataclass(frozen=True)
class CheckCount:
    """How often a check spoke in a run and what it took (2 places)."""

    code: str
    severity: str
    title: str
    count: int
    amount: Decimal


def checks_of_run(run: AdjudicationRun) -> list[CheckCount]:
    """Checks of a run by code: one query."""
    rows = run.findings.values_list("check_code", "severity").annotate(count=Count("id"), amount=Sum("amount"))
    return [
        CheckCount(code, severity, title_of(code), count, from_minor(amount))
        for code, severity, count, amount in rows.order_by("check_code", "severity")
    ]


def pended_lines(organisation: Organisation) -> QuerySet[ClaimLine]:
    """Lines that wait for a person: the latest adjudication of their own claim is pended."""
    latest = Adjudication.objects.filter(claim_line=OuterRef("pk"), reverses__isnull=True).order_by("-pk")
    return (
        ClaimLine.objects.filter(claim__organisation=organisation)
        .exclude(claim__status__in=("draft", "submitted", "returned", "withdrawn", "reversed"))
        .annotate(latest_outcome=Subquery(latest.values("outcome")[:1]))
        .filter(latest_outcome="pended")
        .select_related("claim__provider", "service", "certificate__recipient")
        .order_by("claim__period", "claim__number", "line")
    )


@dataclass(frozen=True)
class AccountBalance:
    """An account with its sums, 2 places; ``balance`` is debit less credit."""

    account: Account
    debit: Decimal
    credit: Decimal
    balance: Decimal


def account_balances(organisation: Organisation) -> list[AccountBalance]:
    """Trial balance: every account by code, one query."""
    rows = Account.objects.filter(organisation=organisation).annotate(
        debit_sum=Sum("postings__debit", default=0), credit_sum=Sum("postings__credit", default=0)
    )
    return [
        AccountBalance(
            account,
            from_minor(account.debit_sum),
            from_minor(account.credit_sum),
            from_minor(account.debit_sum - account.credit_sum),
        )
        for account in rows.order_by("code")
    ]


def ledger_entries(organisation: Organisation, search: str = "", label: str = "") -> QuerySet[Entry]:
    """Entries with their postings, newest first; two queries a page."""
    postings = Posting.objects.select_related("account").order_by("-debit", "account__code")
    rows = Entry.objects.filter(organisation=organisation).prefetch_related(Prefetch("postings", queryset=postings))
    if search:
        rows = rows.filter(Q(number__icontains=search) | Q(event__icontains=search))
    if label:
        rows = rows.filter(label=label)
    return rows.order_by("-date", "-id")


def claims_by_number(organisation: Organisation, numbers: Iterable[str]) -> dict[str, Claim]:
    """Claims by their numbers."""
    rows = Claim.objects.filter(organisation=organisation, number__in=list(numbers))
    return {claim.number: claim for claim in rows}
