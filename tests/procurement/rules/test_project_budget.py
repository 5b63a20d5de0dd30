"""The application of seed 002 and its findings (rulebook 8.1)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.money import percent_shares, round_half_up, split_by_largest_remainder
from procurement.rules.project_budget import (
    BudgetItem,
    BudgetSource,
    Indicator,
    ProjectFacts,
    ProjectParameters,
    WorkBlock,
    check_project,
    cofinance_share,
)
from tests.golden_rows import golden, numbers

PARAMETERS = ProjectParameters(Decimal("0.01"), Decimal(15), "ALL_NON_GRANT")
SHARES = {"grant": "41.03", "partner": "3.16", "own": "8.46", "attracted": "47.35"}
ANNEXES = ("form_1", "form_2", "sources", "protocol", "partners", "cv")


def thousands(text: str) -> Decimal:
    return Decimal(text) * 1000


def application(row: dict[str, str]) -> ProjectFacts:
    items = [
        BudgetItem(f"item {index}", thousands(amount), "own" if index in (5, 7) else "")
        for index, amount in enumerate(row["items"].split(";"), 1)
    ]
    names = (("grant", "grant"), ("partner", "partners"), ("own", "own"), ("attracted", "attracted"))
    sources = [BudgetSource(kind, kind, thousands(row[column]), Decimal(SHARES[kind])) for kind, column in names]
    return ProjectFacts(
        declared_total=thousands(row["declared"]),
        items=tuple(items),
        sources=tuple(sources),
        multiplier=1000,
        declared_item_count=7,
        duration_months=12,
        plan=tuple(
            WorkBlock(str(first), first, last)
            for first, last in ((1, 1), (2, 2), (3, 3), (5, 5), (4, 12), (4, 12), (12, 12))
        ),
        activity_numbers=(1, 2, 3, 4, 5, 6, 7, 10),
        indicators=(Indicator("offices", Decimal(20), Decimal(50), (Decimal(20), Decimal(50))),),
        attachments_named=ANNEXES,
        partners_declared=3,
        partners_listed=3,
        pages_declared=42,
        last_page_referred=33,
    )


SEED = application(golden("project_002")[0].values[0])


@pytest.mark.parametrize("row", golden("project_002"))
def test_finding_of_the_application(row: dict[str, str]) -> None:
    outcome = check_project(facts=application(row), parameters=PARAMETERS)
    assert row["message"] in [finding.message for finding in outcome.findings]


def test_exact_list_of_findings() -> None:
    outcome = check_project(facts=SEED, parameters=PARAMETERS)
    assert [(finding.code, finding.severity) for finding in outcome.findings] == [
        ("BUDGET_ITEMS_NE_TOTAL", "block"),
        ("SOURCES_NE_ITEMS", "block"),
        ("SHARE_ROUNDED", "info"),
        ("EARMARK_DIFF", "warn"),
        ("PLAN_ORDER", "warn"),
        ("LIST_GAP", "warn"),
        *[("ATTACHMENT_MISSING", "block")] * 6,
    ]
    assert outcome.blocked
    assert outcome.source_shares == tuple(numbers("41.03;3.16;8.46;47.35"))


@pytest.mark.parametrize("row", golden("project_item_shares"))
def test_shares_of_the_expense_items(row: dict[str, str]) -> None:
    items = tuple(BudgetItem(amount, thousands(amount)) for amount in row["items"].split(";"))
    facts = replace(SEED, declared_total=thousands(row["declared"]), items=items)
    outcome = check_project(facts=facts, parameters=PARAMETERS)
    assert outcome.item_shares_of_total == tuple(numbers(row["of_declared"]))
    assert sum(outcome.item_shares_of_total) == Decimal(row["of_declared_sum"])
    assert outcome.item_shares == tuple(numbers(row["of_items"])) and sum(outcome.item_shares) == 100


def test_plan_order_names_both_blocks_and_list_gap_the_numbers() -> None:
    messages = [finding.message for finding in check_project(facts=SEED, parameters=PARAMETERS).findings]
    assert "PLAN_ORDER block=5 before=4-12" in messages
    assert "LIST_GAP numbers=8,9" in messages
    assert "ATTACHMENT_MISSING name=protocol" in messages


def test_corrected_copy_is_accepted() -> None:
    items = (replace(SEED.items[0], amount=SEED.items[0].amount + 30000), *SEED.items[1:])
    corrected = replace(SEED, items=items, attachments_given=frozenset(ANNEXES))
    outcome = check_project(facts=corrected, parameters=PARAMETERS)
    assert not outcome.blocked
    assert outcome.items_total == outcome.sources_total == Decimal("3168000")


def test_naive_rounding_would_contradict_the_document() -> None:
    parts = [Decimal(value) for value in ("1300", "100", "268", "1500")]
    naive = [round_half_up(part * 100 / sum(parts)) for part in parts]
    assert sum(naive) == Decimal("100.01") and sum(percent_shares(parts)) == 100


@pytest.mark.parametrize("row", golden("cofinance"))
def test_cofinancing_depends_on_the_basis(row: dict[str, str]) -> None:
    share = cofinance_share(facts=SEED, basis=row["basis"], of_grant=row["of_grant"] == "yes")
    assert round_half_up(share) == Decimal(row["percent"])
    assert (share >= 15) is (row["passes_15"] == "yes")


def test_cofinancing_below_the_minimum_warns() -> None:
    outcome = check_project(facts=SEED, parameters=replace(PARAMETERS, cofinance_basis="OWN"))
    assert "COFINANCE_BELOW_MIN basis=OWN share=8.46 min=15" in [row.message for row in outcome.findings]


@pytest.mark.parametrize("row", golden("shares"))
def test_shares(row: dict[str, str]) -> None:
    assert percent_shares(numbers(row["parts"])) == numbers(row["shares"])


@pytest.mark.parametrize("row", golden("splits"))
def test_splits(row: dict[str, str]) -> None:
    parts = split_by_largest_remainder(Decimal(row["total"]), numbers(row["weights"]))
    assert parts == numbers(row["parts"]) and sum(parts) == Decimal(row["total"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"declared_item_count": 8}, "ITEM_COUNT declared=8 items=7"),
        ({"plan": (WorkBlock("a", 1, 3), WorkBlock("b", 5, 12))}, "PLAN_GAP months=4"),
        ({"plan": (WorkBlock("a", 1, 13),)}, "PLAN_BEYOND block=1-13 duration=12"),
        ({"partners_listed": 5}, "PARTNERS_DIFF declared=3 listed=5"),
        ({"last_page_referred": 50}, "PAGES_DIFF declared=42 referred=50"),
        ({"indicators": (Indicator("a", Decimal(5), Decimal(5)),)}, "KPI_NO_GROWTH indicator=a target=5"),
        (
            {"indicators": (Indicator("a", Decimal(20), Decimal(50), (Decimal(20), Decimal(60))),)},
            "KPI_NE_PLAN indicator=a stated=20-60",
        ),
    ],
)
def test_other_findings_warn(changes: dict[str, object], message: str) -> None:
    facts = replace(SEED, **changes)  # type: ignore[arg-type]
    found = [row for row in check_project(facts=facts, parameters=PARAMETERS).findings if row.message == message]
    assert [row.severity for row in found] == ["warn"]


def test_conditional_source_and_ceiling_of_the_call_warn() -> None:
    sources = tuple(replace(row, conditional=row.kind == "own") for row in SEED.sources)
    parameters = replace(PARAMETERS, grant_cap=Decimal(1000000))
    outcome = check_project(facts=replace(SEED, sources=sources), parameters=parameters)
    messages = [row.message for row in outcome.findings]
    assert "GRANT_ABOVE_CAP grant=1300.00 cap=1000.00" in messages
    assert "SOURCE_CONDITIONAL source=own amount=268.00" in messages


def test_share_beyond_the_tolerance_warns() -> None:
    sources = (replace(SEED.sources[0], declared_share=Decimal("41.10")), *SEED.sources[1:])
    outcome = check_project(facts=replace(SEED, sources=sources), parameters=PARAMETERS)
    assert "SHARE_DIFF source=grant declared=41.10 computed=41.03" in [row.message for row in outcome.findings]


def test_empty_draft_has_no_crash() -> None:
    outcome = check_project(
        facts=ProjectFacts(Decimal(0), (), ()), parameters=replace(PARAMETERS, cofinance_percent=None)
    )
    assert outcome.findings == ()


@given(st.lists(st.decimals(0, 10**7, places=2), min_size=1, max_size=12).filter(any))
def test_shares_always_make_a_hundred(parts: list[Decimal]) -> None:
    shares = percent_shares(parts)
    assert sum(shares) == 100
    whole = sum(parts)
    assert all(abs(share - part * 100 / whole) < Decimal("0.01") for share, part in zip(shares, parts, strict=True))
