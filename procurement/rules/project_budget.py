"""Checks of a project application: sums, shares, co-financing, plan, attachments (APP-1, formula
PROJECT-8.1).

Amounts are whole currency units; the form may print them in thousands (``multiplier``), and a finding speaks
in the form's unit, so that the applicant finds the figure on the form. Nothing is ever corrected
automatically.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from config.money import percent_shares, round_half_up

FORMULA_ID = "PROJECT-8.1/1"
BLOCK = "block"
WARN = "warn"
INFO = "info"

GRANT = "grant"
OWN = "own"
PARTNER = "partner"
ATTRACTED = "attracted"

COFINANCE_KINDS = {
    "OWN": frozenset({OWN}),
    "OWN+PARTNERS": frozenset({OWN, PARTNER}),
    "OWN_PARTNERS": frozenset({OWN, PARTNER}),
    "ALL_NON_GRANT": frozenset({OWN, PARTNER, ATTRACTED}),
}

# English message ids; pages and letters translate them.
TITLES = {
    "SOURCES_NE_TOTAL": "The sources do not add up to the declared total",
    "BUDGET_ITEMS_NE_TOTAL": "The expense items do not add up to the declared total",
    "SOURCES_NE_ITEMS": "The sources and the expense items differ",
    "ITEM_COUNT": "The number of expense items is not the declared one",
    "SHARE_DIFF": "A declared share differs from the computed one",
    "SHARE_ROUNDED": "A declared share agrees within the tolerance of rounding",
    "EARMARK_DIFF": "The items financed by a source do not add up to its contribution",
    "COFINANCE_BELOW_MIN": "Co-financing is below the minimum",
    "GRANT_ABOVE_CAP": "The grant asked for is above the ceiling of the call",
    "SOURCE_CONDITIONAL": "A source depends on winning the contest",
    "ATTACHMENT_MISSING": "An attachment named in the application is missing",
    "PLAN_ORDER": "A block of the work plan stands after a later one",
    "PLAN_GAP": "Months of the project without any work",
    "PLAN_BEYOND": "A block of the work plan ends after the project",
    "LIST_GAP": "Numbers are missing in the list of activities",
    "KPI_NO_GROWTH": "The target of an indicator is not above its baseline",
    "KPI_NE_PLAN": "An indicator differs from the text of the application",
    "PARTNERS_DIFF": "The number of partners differs from the annotation",
    "PAGES_DIFF": "The table of contents refers to a page beyond the declared size",
}


@dataclass(frozen=True)
class BudgetItem:
    """An expense item. ``paid_by`` names the source that finances it alone (an earmark)."""

    name: str
    amount: Decimal
    paid_by: str = ""


@dataclass(frozen=True)
class BudgetSource:
    """A source of money: kind, amount, the share the form declares, and whether it depends on winning."""

    name: str
    kind: str
    amount: Decimal
    declared_share: Decimal | None = None
    conditional: bool = False


@dataclass(frozen=True)
class WorkBlock:
    """A block of the work plan in the order of the text; months are numbered from 1, both ends count."""

    name: str
    first_month: int
    last_month: int


@dataclass(frozen=True)
class Indicator:
    """A target of at least ``target``; ``stated`` repeats (baseline, target) found elsewhere in the text."""

    name: str
    baseline: Decimal
    target: Decimal
    stated: tuple[Decimal, Decimal] | None = None


@dataclass(frozen=True)
class ProjectFacts:
    """The application as filled in. Empty sequences and None mean: nothing declared, nothing judged."""

    declared_total: Decimal
    items: tuple[BudgetItem, ...]
    sources: tuple[BudgetSource, ...]
    multiplier: int = 1
    declared_item_count: int | None = None
    duration_months: int | None = None
    plan: tuple[WorkBlock, ...] = ()
    activity_numbers: tuple[int, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    attachments_named: tuple[str, ...] = ()
    attachments_given: frozenset[str] = frozenset()
    partners_declared: int | None = None
    partners_listed: int | None = None
    pages_declared: int | None = None
    last_page_referred: int | None = None


@dataclass(frozen=True)
class ProjectParameters:
    """Conditions of the call: co-financing minimum in percent of the total, its basis, ceiling of one grant."""

    share_tolerance: Decimal
    cofinance_percent: Decimal | None = None
    cofinance_basis: str = "ALL_NON_GRANT"
    cofinance_of_grant: bool = False
    grant_cap: Decimal | None = None


@dataclass(frozen=True)
class Finding:
    """One finding: it blocks the submission, warns, or only informs. ``params`` are printed in form units."""

    code: str
    severity: str
    params: dict[str, str] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """Example: ``BUDGET_ITEMS_NE_TOTAL declared=3168.00 items=3138.00 diff=30.00``."""
        return " ".join([self.code, *(f"{key}={value}" for key, value in self.params.items())])


@dataclass(frozen=True)
class ProjectOutcome:
    """Findings in the order of the checks, with the computed sums and shares.

    ``item_shares`` of the items' own sum make 100; those of the declared total are rounded one by one and make less
    when items are missing (S-3: 99.05).
    """

    findings: tuple[Finding, ...]
    items_total: Decimal
    sources_total: Decimal
    source_shares: tuple[Decimal, ...]
    item_shares: tuple[Decimal, ...]
    item_shares_of_total: tuple[Decimal, ...]
    cofinance_percent: Decimal
    formula_id: str = FORMULA_ID

    @property
    def blocked(self) -> bool:
        """Whether the application may not be submitted as it is."""
        return any(finding.severity == BLOCK for finding in self.findings)


def check_project(*, facts: ProjectFacts, parameters: ProjectParameters) -> ProjectOutcome:
    """Every check of 8.1 over one application. Sums and missing attachments block, the rest warns.

    Money: exact comparison; shares in percent to 0.01 by largest remainder (G-3).
    Source: APP-1, GR-UA-5, GR-UA-6.
    Example: items 3138 of 3168 thousand -> blocked with diff=30.00; shares 41.03 / 3.16 / 8.46 / 47.35.
    """
    items, sources = items_total(facts), sources_total(facts)
    share = cofinance_share(facts=facts, basis=parameters.cofinance_basis, of_grant=parameters.cofinance_of_grant)
    shares = tuple(percent_shares([source.amount for source in facts.sources])) if sources else ()
    findings = (
        *_sum_findings(facts, items, sources),
        *_share_findings(facts, shares, sources, parameters),
        *_earmark_findings(facts),
        *_money_findings(facts, parameters, share),
        *_plan_findings(facts),
        *_text_findings(facts),
        *_attachment_findings(facts),
    )
    item_shares = tuple(percent_shares([item.amount for item in facts.items])) if items else ()
    of_total = item_shares_of_total(facts)
    return ProjectOutcome(findings, items, sources, shares, item_shares, of_total, round_half_up(share))


def items_total(facts: ProjectFacts) -> Decimal:
    """Sum of the expense items."""
    return sum((item.amount for item in facts.items), Decimal(0))


def item_shares_of_total(facts: ProjectFacts) -> tuple[Decimal, ...]:
    """Share of each item in the declared total, in percent to 0.01; empty without a declared total."""
    if not facts.declared_total:
        return ()
    return tuple(round_half_up(item.amount * 100 / facts.declared_total) for item in facts.items)


def sources_total(facts: ProjectFacts) -> Decimal:
    """Sum of the sources."""
    return sum((source.amount for source in facts.sources), Decimal(0))


def cofinance_share(*, facts: ProjectFacts, basis: str, of_grant: bool = False) -> Decimal:
    """Co-financing in percent of the sources' total, or of the grant; unrounded, zero without a base.

    Source: GR-UA-6. Example (seed 002): OWN 8.46, OWN+PARTNERS 11.62, ALL_NON_GRANT 58.96; of the grant
    143.69.
    Raises: KeyError for an unknown basis.
    """
    kinds = COFINANCE_KINDS[basis]
    part = sum((source.amount for source in facts.sources if source.kind in kinds), Decimal(0))
    grant = sum((source.amount for source in facts.sources if source.kind == GRANT), Decimal(0))
    whole = grant if of_grant else sources_total(facts)
    return part * 100 / whole if whole else Decimal(0)


def _form(facts: ProjectFacts, amount: Decimal) -> str:
    return str(round_half_up(amount / facts.multiplier))


def _sum_findings(facts: ProjectFacts, items: Decimal, sources: Decimal) -> Iterable[Finding]:
    declared = facts.declared_total
    pairs = (
        ("SOURCES_NE_TOTAL", ("declared", declared), ("sources", sources)),
        ("BUDGET_ITEMS_NE_TOTAL", ("declared", declared), ("items", items)),
        ("SOURCES_NE_ITEMS", ("sources", sources), ("items", items)),
    )
    for code, (left, first), (right, second) in pairs:
        if first != second:
            diff = _form(facts, first - second)
            yield Finding(code, BLOCK, {left: _form(facts, first), right: _form(facts, second), "diff": diff})
    count = facts.declared_item_count
    if count is not None and count != len(facts.items):
        yield Finding("ITEM_COUNT", WARN, {"declared": str(count), "items": str(len(facts.items))})


def _share_findings(
    facts: ProjectFacts, shares: Sequence[Decimal], total: Decimal, parameters: ProjectParameters
) -> Iterable[Finding]:
    for source, share in zip(facts.sources, shares, strict=False):
        declared = source.declared_share
        exact = source.amount * 100 / total
        if declared is None or declared == round_half_up(exact):
            continue
        near = abs(declared - exact) <= parameters.share_tolerance
        params = {"source": source.name, "declared": str(declared), "computed": str(share)}
        yield Finding("SHARE_ROUNDED", INFO, params) if near else Finding("SHARE_DIFF", WARN, params)


def _earmark_findings(facts: ProjectFacts) -> Iterable[Finding]:
    for source in facts.sources:
        earmarked = [item.amount for item in facts.items if item.paid_by == source.name]
        total = sum(earmarked, Decimal(0))
        if earmarked and total != source.amount:
            diff = _form(facts, source.amount - total)
            params = {
                "source": source.name,
                "contribution": _form(facts, source.amount),
                "items": _form(facts, total),
            }
            yield Finding("EARMARK_DIFF", WARN, {**params, "diff": diff})


def _money_findings(facts: ProjectFacts, parameters: ProjectParameters, share: Decimal) -> Iterable[Finding]:
    minimum = parameters.cofinance_percent
    if minimum is not None and share < minimum:
        params = {
            "basis": parameters.cofinance_basis,
            "share": str(round_half_up(share)),
            "min": str(minimum),
        }
        yield Finding("COFINANCE_BELOW_MIN", WARN, params)
    grant = sum((source.amount for source in facts.sources if source.kind == GRANT), Decimal(0))
    if parameters.grant_cap is not None and grant > parameters.grant_cap:
        cap = _form(facts, parameters.grant_cap)
        yield Finding("GRANT_ABOVE_CAP", WARN, {"grant": _form(facts, grant), "cap": cap})
    for source in facts.sources:
        if source.conditional:
            yield Finding("SOURCE_CONDITIONAL", WARN, {"source": source.name, "amount": _form(facts, source.amount)})


def _plan_findings(facts: ProjectFacts) -> Iterable[Finding]:
    for before, after in zip(facts.plan, facts.plan[1:], strict=False):
        if after.first_month < before.first_month:
            yield Finding("PLAN_ORDER", WARN, {"block": _months(before), "before": _months(after)})
    if facts.plan and facts.duration_months is not None:
        yield from _coverage_findings(facts.plan, facts.duration_months)
    numbers = facts.activity_numbers
    gaps = sorted(set(range(min(numbers), max(numbers))) - set(numbers)) if numbers else []
    if gaps:
        yield Finding("LIST_GAP", WARN, {"numbers": ",".join(str(number) for number in gaps)})


def _coverage_findings(plan: Sequence[WorkBlock], duration: int) -> Iterable[Finding]:
    covered = {month for block in plan for month in range(block.first_month, block.last_month + 1)}
    gaps = [month for month in range(1, duration + 1) if month not in covered]
    if gaps:
        yield Finding("PLAN_GAP", WARN, {"months": ",".join(str(month) for month in gaps)})
    for block in plan:
        if block.last_month > duration:
            yield Finding("PLAN_BEYOND", WARN, {"block": _months(block), "duration": str(duration)})


def _months(block: WorkBlock) -> str:
    first, last = block.first_month, block.last_month
    return str(first) if first == last else f"{first}-{last}"


def _text_findings(facts: ProjectFacts) -> Iterable[Finding]:
    for row in facts.indicators:
        if row.target <= row.baseline:
            yield Finding("KPI_NO_GROWTH", WARN, {"indicator": row.name, "target": str(row.target)})
        if row.stated is not None and row.stated != (row.baseline, row.target):
            stated = "-".join(str(value) for value in row.stated)
            yield Finding("KPI_NE_PLAN", WARN, {"indicator": row.name, "stated": stated})
    declared, listed = facts.partners_declared, facts.partners_listed
    if declared is not None and listed is not None and declared != listed:
        yield Finding("PARTNERS_DIFF", WARN, {"declared": str(declared), "listed": str(listed)})
    pages, referred = facts.pages_declared, facts.last_page_referred
    if pages is not None and referred is not None and referred > pages:
        yield Finding("PAGES_DIFF", WARN, {"declared": str(pages), "referred": str(referred)})


def _attachment_findings(facts: ProjectFacts) -> Iterable[Finding]:
    for name in facts.attachments_named:
        if name not in facts.attachments_given:
            yield Finding("ATTACHMENT_MISSING", BLOCK, {"name": name})
