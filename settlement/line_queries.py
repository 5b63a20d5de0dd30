"""Reads behind the pages of claims: whose claims, which lines, and everything that explains a page of lines.

The number of queries does not depend on the number of lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from config.accounts.access import Access
from config.versions import as_it_was, earlier_of
from contracts.models import Contract, ContractLine, GrantItem, NormCost, RequiredEvidence, Service
from contracts.queries import provider_of
from settlement.claim_queries import taken_by_check
from settlement.finding_words import explains
from settlement.models import (
    Adjudication,
    AdjudicationRun,
    Claim,
    ClaimDeclaration,
    ClaimLine,
    Clearance,
    Finding,
    KeptPend,
    PendProposal,
    Remittance,
)
from vouchers.models import Certificate, FeeAssessment, PlanLine, Recipient

OUTCOMES = ("accepted", "reduced", "rejected", "pended")


@dataclass(frozen=True)
class LineSources:
    """Dated records that the sentences of a page of lines name; all loaded at once."""

    norms: dict[int, list[NormCost]] = field(default_factory=dict)
    contract_lines: dict[tuple[int, int], list[ContractLine]] = field(default_factory=dict)
    fees: dict[int, list[FeeAssessment]] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    plans: dict[tuple[int, int], list[PlanLine]] = field(default_factory=dict)
    grant_items: dict[tuple[int, int], list[GrantItem]] = field(default_factory=dict)
    acts_needed: dict[int, list[RequiredEvidence]] = field(default_factory=dict)
    contracts: dict[int, Contract] = field(default_factory=dict)
    certificates: dict[int, Certificate] = field(default_factory=dict)
    earlier: dict[tuple[str, int], list[Any]] = field(default_factory=dict)

    def known(self, at: datetime) -> LineSources:
        """The same records as they were known at a moment; the catalogue of services has no second time."""

        def then(rows: Iterable[Any]) -> list[Any]:
            return [found for row in rows if (found := as_it_was(row, self.earlier, at)) is not None]

        def each(groups: dict[Any, list[Any]]) -> dict[Any, list[Any]]:
            return {key: then(rows) for key, rows in groups.items()}

        return replace(
            self,
            norms={key: [row for row in rows if row.status == "approved"] for key, rows in each(self.norms).items()},
            contract_lines=each(self.contract_lines),
            fees=each(self.fees),
            plans=each(self.plans),
            grant_items={key: [r for r in rows if r.recorded_at <= at] for key, rows in self.grant_items.items()},
            acts_needed=each(self.acts_needed),
            contracts={row.pk: row for row in then(self.contracts.values())},
            certificates={row.pk: row for row in then(self.certificates.values())},
        )


@dataclass(frozen=True)
class JudgedLine:
    """What one run made of a line: outcome and findings."""

    adjudication: Adjudication
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class LineHistory:
    """A line of a claim with what each run made of it, earliest first, and the pends that persons lifted."""

    line: ClaimLine
    judged: tuple[JudgedLine, ...] = ()
    clearances: tuple[Clearance, ...] = ()
    kept: tuple[KeptPend, ...] = ()

    @property
    def left_unpaid(self) -> KeptPend | None:
        """The latest decision in force that the line is not paid, of a line that waited; one check's is enough."""
        last = self.judged[-1] if self.judged else None
        if last is None or last.adjudication.outcome != "pended":
            return None
        pends = {row.check_code for row in last.findings if row.severity == "P"}
        return next((row for row in reversed(self.kept) if row.check_code in pends), None)


def visible_claims(access: Access, search: str = "", status: str = "") -> QuerySet[Claim]:
    """The office sees the claims handed in to its organisation, a provider all its own, nobody else any."""
    rows = _in_scope(access).select_related("provider", "organisation")
    if search:
        words = Q(number__icontains=search) | Q(contract_number__icontains=search)
        rows = rows.filter(words | Q(provider__name__icontains=search))
    if status:
        rows = rows.filter(status=status)
    return rows.order_by("-period", "-id")


def _in_scope(access: Access) -> QuerySet[Claim]:
    if access.may("claims.submit"):
        provider = provider_of(access.user)
        return Claim.objects.filter(provider=provider) if provider else Claim.objects.none()
    return Claim.objects.filter(organisation=access.office()).exclude(status="draft")


# What adjudication starts from: round(units x rate, 2), half up, in ten-thousandths. The amount as it was written is
# judged by CLM-01 and shown beside its line.
_CLAIMED_E4 = (F("units_milli") * F("unit_rate_e4") + 50_000) / 100_000 * 100


def claim_list(access: Access, search: str = "", status: str = "") -> QuerySet[Claim]:
    """Visible claims with the number of lines, what they claim (ten-thousandths) and what is allowed and paid."""
    return with_sums(visible_claims(access, search, status))


def with_sums(claims: QuerySet[Claim]) -> QuerySet[Claim]:
    """Claims with ``line_count``, ``claimed`` (ten-thousandths), ``gross_minor`` and ``payable_minor``."""
    lines = ClaimLine.objects.filter(claim=OuterRef("pk")).order_by().values("claim")
    runs = Remittance.objects.filter(claim=OuterRef("pk")).order_by().values("claim")
    sums = {
        "line_count": lines.annotate(found=Count("id")),
        "claimed": lines.annotate(found=Sum(_CLAIMED_E4)),
        "gross_minor": runs.annotate(found=Sum("gross")),
        "payable_minor": runs.annotate(found=Sum("payable")),
    }
    found = {name: Subquery(rows.values("found"), output_field=IntegerField()) for name, rows in sums.items()}
    return claims.annotate(**found)


def recipients_of_claim(claim: Claim) -> QuerySet[Recipient]:
    """Recipients whose certificates a claim names, each with ``certificate_number``, in the order of the numbers."""
    named = Certificate.objects.filter(pk__in=claim.lines.values("certificate"))
    newest = named.filter(recipient=OuterRef("pk")).order_by("-number").values("number")[:1]
    rows = Recipient.objects.filter(pk__in=named.values("recipient"))
    return rows.annotate(certificate_number=Subquery(newest)).order_by("certificate_number")


def main_reasons(claims: Iterable[Claim]) -> dict[int, str]:
    """The check that takes most from each claim, by claim: one query."""
    rows = Finding.objects.filter(claim_line__claim__in=list(claims), severity__in="RPC", amount__gt=0).order_by()
    taken = rows.values("claim_line__claim", "check_code").annotate(taken=Sum("amount"))
    return {row["claim_line__claim"]: row["check_code"] for row in taken.order_by("taken", "-check_code")}


def main_checks(rows: Iterable[Adjudication]) -> dict[int, str]:
    """The check that explains the others of each judged line, else the one that takes most, by adjudication: one
    query.
    """
    judged = {(row.run_id, row.claim_line_id): row.pk for row in rows}
    found = Finding.objects.filter(severity__in="RPC", run__in={run for run, _line in judged})
    found = found.filter(claim_line__in={line for _run, line in judged}).order_by("amount", "-check_code")
    keys = found.values_list("run_id", "claim_line_id", "check_code", "severity")
    rows_told = sorted(keys, key=lambda row: explains(row[2], row[3]))
    return {judged[run, line]: code for run, line, code, _severity in rows_told if (run, line) in judged}


def claim_totals(claim: Claim) -> dict[str, int]:
    """Figures of a claim over all its runs, minor units; a pended line that was cleared counts once.

    A second run judges a cleared line again, so what it claims and what still waits come from the last runs.
    """
    names = ("amount_claimed", "gross", "fee", "payable")
    latest = _latest(claim)
    sums = latest.aggregate(**{name: Sum(name) for name in names})
    totals = {name: sums[name] or 0 for name in names}
    waiting = sum(row["taken"] for row in taken_by_check(claim) if row["severity"] == "P")
    totals["pended"] = 0 if claim.reverses_id else waiting
    totals["reductions"] = totals["amount_claimed"] - totals["gross"] - totals["pended"]
    return totals


def _latest(claim: Claim) -> QuerySet[Adjudication]:
    """The last adjudication of each line under this claim; of a reversing claim all, they cancel all."""
    rows = Adjudication.objects.filter(claim=claim)
    if claim.reverses_id:
        return rows
    # DISTINCT ON reads the claim once; a subquery for each line would read it once a line.
    return rows.filter(pk__in=rows.order_by("claim_line", "-id").distinct("claim_line").values("pk"))


def outcome_counts(claim: Claim) -> dict[str, int]:
    """Lines by their present outcome."""
    rows = _latest(claim).order_by().values("outcome").annotate(count=Count("id"))
    return {row["outcome"]: row["count"] for row in rows}


def claim_lines(claim: Claim, outcome: str = "", search: str = "", *, not_in_full: bool = False) -> QuerySet[ClaimLine]:
    """Lines of a claim in their order; a reversing claim shows those of the claim that it takes back.

    ``not_in_full`` keeps the lines of which something was reduced, rejected or waits.
    """
    rows = ClaimLine.objects.filter(claim_id=claim.reverses_id or claim.pk)
    if outcome:
        rows = rows.filter(pk__in=_latest(claim).filter(outcome=outcome).values("claim_line"))
    if not_in_full:
        rows = rows.filter(pk__in=_latest(claim).exclude(outcome="accepted").values("claim_line"))
    if search:
        rows = rows.filter(
            Q(certificate_number__icontains=search)
            | Q(certificate__number__icontains=search)
            | Q(redemption_code__icontains=search)
            | Q(worker_code__icontains=search)
        )
    return rows.select_related("service", "certificate__recipient", "worker", "claim__contract").order_by("line")


def histories(lines: Iterable[ClaimLine], reversing: Claim | None = None) -> list[LineHistory]:
    """What the runs made of these lines, of one or several claims: four queries.

    ``reversing``: the claim that takes the lines' claim back; then its opposite decisions instead.
    """
    rows = list(lines)
    mine = Q(claim=reversing) if reversing else Q(reverses=None)
    judged = Adjudication.objects.filter(mine, claim_line__in=rows).select_related("run__organisation").order_by("id")
    found: dict[int, list[Adjudication]] = {}
    for row in judged:
        found.setdefault(row.claim_line_id, []).append(row)
    findings = {} if reversing else _findings(rows)  # an opposite row repeats no findings
    clearances: dict[int, list[Clearance]] = {}
    lifted = Clearance.objects.filter(claim_line__in=rows).select_related("proposal__proposed_by", "confirmed_by")
    for cleared in lifted.order_by("run", "check_code"):
        clearances.setdefault(cleared.claim_line_id, []).append(cleared)
    kept: dict[int, list[KeptPend]] = grouped(decided_pends().filter(claim_line__in=rows), "claim_line_id")
    return [
        LineHistory(
            line,
            tuple(JudgedLine(a, findings.get((a.run_id, line.pk), ())) for a in found.get(line.pk, ())),
            tuple(clearances.get(line.pk, ())),
            tuple(kept.get(line.pk, ())),
        )
        for line in rows
    ]


def _findings(lines: Sequence[ClaimLine]) -> dict[tuple[int, int], tuple[Finding, ...]]:
    found: dict[tuple[int, int], tuple[Finding, ...]] = {}
    for row in Finding.objects.filter(claim_line__in=lines).order_by("check_code"):
        key = (row.run_id, row.claim_line_id)
        found[key] = (*found.get(key, ()), row)
    return found


def line_sources(organisation_id: int, lines: Iterable[ClaimLine]) -> LineSources:
    """Norm costs, prices, fee decisions, plans and services that lines rest on, with their past: nine queries."""
    rows = list(lines)
    codes = {row.service_code for row in rows} | {row.service.code for row in rows if row.service}
    services = Service.objects.filter(organisation_id=organisation_id, code__in=codes)
    by_code = {row.code: row for row in services}
    norms = list(NormCost.objects.filter(service__in=by_code.values()).order_by("-valid_from", "-id"))
    contracts = Contract.objects.in_bulk({row.claim.contract_id for row in rows if row.claim.contract_id})
    agreed = ContractLine.objects.filter(contract__in=contracts, service__in=by_code.values())
    prices = list(agreed.select_related("contract").order_by("-id"))
    items = GrantItem.objects.filter(contract__in=contracts).select_related("contract__organisation")
    needed = list(RequiredEvidence.objects.filter(service__in=by_code.values()).order_by("-valid_from", "-id"))
    certificates = {row.certificate.pk: row.certificate for row in rows if row.certificate}
    recipients = {row.recipient_id for row in certificates.values()}
    fees = list(FeeAssessment.objects.filter(recipient__in=recipients).order_by("-valid_from", "-id"))
    planned = PlanLine.objects.filter(recipient__in=recipients, service__in=by_code.values()).select_related("plan")
    plans = list(planned.order_by("-valid_from", "-id"))
    changing = [*norms, *prices, *fees, *plans, *needed, *contracts.values(), *certificates.values()]
    return LineSources(
        norms=grouped(norms, "service_id"),
        contract_lines=grouped(prices, "contract_id", "service_id"),
        fees=grouped(fees, "recipient_id"),
        services=by_code,
        plans=grouped(plans, "recipient_id", "service_id"),
        grant_items=grouped(items, "contract_id", "service_id"),
        acts_needed=grouped(needed, "service_id"),
        contracts=contracts,
        certificates=certificates,
        earlier=earlier_of(changing),
    )


def grouped(rows: Iterable[Any], *names: str) -> dict[Any, list[Any]]:
    """Rows by one column, or by a tuple of several; a dot leads to a column of a related row."""
    found: dict[Any, list[Any]] = {}
    key = attrgetter(*names)
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


def line_taken_back(claim: Claim, line: ClaimLine) -> ClaimLine | None:
    """The line of the provider's last claim taken back that names the same visit.

    Without a code of the visit: the one line of that claim for the same recipient, service and day, if it is the only
    one there and here.
    """
    own = Q(redemption_code=line.redemption_code) if line.redemption_code else _of_the_day(line)
    if not line.redemption_code and claim.lines.filter(own).count() != 1:
        return None
    before = Claim.objects.filter(
        organisation=claim.organisation, provider=claim.provider, status="reversed", reverses=None, pk__lt=claim.pk
    )
    others = ClaimLine.objects.filter(own, claim__in=before).select_related("claim")
    found = list(others.order_by("-claim_id", "-pk")[:2])
    if not line.redemption_code and len(found) == 2 and found[0].claim_id == found[1].claim_id:
        return None
    return found[0] if found else None


def _of_the_day(line: ClaimLine) -> Q:
    person = Q(certificate_number=line.certificate_number)
    if line.certificate is not None:
        person |= Q(certificate__recipient=line.certificate.recipient_id)
    return person & Q(service_code=line.service_code, service_date=line.service_date)


def holding(rows: Iterable[Any], on: date) -> list[Any]:
    """Rows with valid_from and exclusive valid_to that hold on a day."""
    return [
        row
        for row in rows
        if (row.valid_from is None or row.valid_from <= on) and (not row.valid_to or on < row.valid_to)
    ]


def decided_pends() -> QuerySet[KeptPend]:
    """Decisions that a pend stays and nothing is paid, oldest first, while nobody lifted it or proposes anew to."""
    pair = {"claim_line": OuterRef("claim_line"), "check_code": OuterRef("check_code")}
    again = PendProposal.objects.filter(**pair, clearance=None, refusal=None)
    lifted = Clearance.objects.filter(**pair)
    return KeptPend.objects.filter(~Exists(again), ~Exists(lifted)).order_by("pk")


def is_decided() -> Exists:
    """Of a finding: whether a person decided that its pend stays."""
    return Exists(decided_pends().filter(claim_line=OuterRef("claim_line"), check_code=OuterRef("check_code")))


def standing_pends() -> QuerySet[Finding]:
    """Pends that nobody has lifted yet, decided or not, of the latest adjudication of each line that waits."""
    later = Adjudication.objects.filter(claim_line=OuterRef("claim_line"), reverses=None).order_by("-id")
    cleared = Clearance.objects.filter(claim_line=OuterRef("claim_line"), check_code=OuterRef("check_code"))
    return (
        Finding.objects.filter(severity="P")
        .annotate(
            last_run=Subquery(later.values("run")[:1]),
            last_outcome=Subquery(later.values("outcome")[:1]),
            lifted=Subquery(cleared.values("run")[:1]),
        )
        .filter(last_outcome="pended", lifted=None, run=F("last_run"))
        .exclude(claim_line__claim__status="reversed")
    )


def waits_of(claim: Claim, pended_lines: int, pended_minor: int) -> dict[str, int]:
    """What of a claim's pended lines and sum still waits for a person, and what a person left unpaid: minor units."""
    pends = standing_pends().filter(claim_line__claim=claim)
    lines = pends.filter(is_decided()).values("claim_line")
    found = pends.filter(claim_line__in=lines).aggregate(lines=Count("claim_line", distinct=True), amount=Sum("amount"))
    unpaid = found["amount"] or 0
    return {
        "waiting_count": pended_lines - found["lines"],
        "waiting_minor": pended_minor - unpaid,
        "unpaid_count": found["lines"],
        "unpaid_minor": unpaid,
    }


def pended_lines(access: Access, search: str = "", check: str = "") -> QuerySet[Finding]:
    """Standing pends of the office, decided or not, oldest first."""
    rows = standing_pends().filter(run__organisation=access.office())
    if search:
        rows = rows.filter(
            Q(claim_line__claim__number__icontains=search) | Q(claim_line__claim__provider__name__icontains=search)
        )
    if check:
        rows = rows.filter(check_code=check)
    return rows.select_related(
        "run",
        "claim_line__claim__provider",
        "claim_line__claim__contract",
        "claim_line__service",
        "claim_line__certificate__recipient",
        "claim_line__worker",
    ).order_by("run__period", "claim_line__claim__number", "claim_line__line", "check_code")


def waiting_lines(access: Access, search: str = "", check: str = "") -> QuerySet[Finding]:
    """Pends about which a person has to decide: without those that were decided to stay."""
    return pended_lines(access, search, check).exclude(is_decided())


def providers_of_run(run: AdjudicationRun) -> list[dict[str, Any]]:
    """What a run made of each provider's claims, minor units: one query."""
    names = ("amount_claimed", "reductions", "pended", "gross", "fee", "payable")
    rows = run.remittances.order_by().values("provider__id", "provider__name")
    found = rows.annotate(claims=Count("id"), **{f"{name}_sum": Sum(name) for name in names})
    return list(found.order_by("provider__name"))


def outcomes_of_run(run: AdjudicationRun) -> list[dict[str, Any]]:
    """Lines of a run by outcome with claimed and allowed minor units; reversals are not among them."""
    rows = run.adjudications.filter(reverses=None).order_by().values("outcome")
    found = {
        row["outcome"]: row
        for row in rows.annotate(lines=Count("id"), claimed=Sum("amount_claimed"), gross_sum=Sum("gross"))
    }
    return [found[outcome] for outcome in OUTCOMES if outcome in found]


def months_to_judge(access: Access) -> list[dict[str, Any]]:
    """Months with submitted claims that no run has judged, and with lines that were cleared: month, counts."""
    office = access.office()
    submitted = Claim.objects.filter(organisation=office, status="submitted").order_by()
    months: dict[date, dict[str, Any]] = {}
    for row in submitted.values("period").annotate(count=Count("id")):
        months[row["period"]] = {"period": row["period"], "claims": row["count"], "cleared": 0}
    done = AdjudicationRun.objects.filter(
        organisation=office, period=OuterRef("claim_line__claim__period"), number=OuterRef("run")
    )
    open_clearances = Clearance.objects.filter(organisation=office).annotate(played=Subquery(done.values("pk")[:1]))
    waiting = open_clearances.filter(played=None).order_by().values("claim_line__claim__period")
    for row in waiting.annotate(count=Count("claim_line", distinct=True)):
        period = row["claim_line__claim__period"]
        months.setdefault(period, {"period": period, "claims": 0, "cleared": 0})["cleared"] = row["count"]
    return [months[key] for key in sorted(months)]


def declaration_of(claim: Claim) -> ClaimDeclaration | None:
    """What the provider last said of its own invoice, with ``written``: the lines' amounts together, minor units."""
    written = ClaimLine.objects.filter(claim=OuterRef("claim")).order_by().values("claim")
    total = Subquery(written.annotate(total=Sum("amount_e4")).values("total"), output_field=IntegerField())
    return claim.declarations.annotate(written=Coalesce(total, 0) / 100).order_by("-id").first()


def claimed_minor(claim: Claim) -> int:
    """What the lines of a claim ask for, minor units: where adjudication starts."""
    total: int = claim.lines.aggregate(total=Sum(_CLAIMED_E4))["total"] or 0
    return total // 100
