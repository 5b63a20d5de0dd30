"""Follow the money: the same road from every start, sums that agree, differences that are named, one query."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from config.accounts.models import Organisation, User
from config.links import MONEY_STARTS
from contracts.models import BudgetEntry, BudgetLine, Contract
from settlement.models import Adjudication, ClaimLine, PaymentRemittance, StatementLine
from settlement.money_trail import MoneyTrail, money_trail, starts_numbered
from settlement.money_trail_sql import STARTS
from tests.settlement.road_rows import PAYABLE, Road, settled_road
from tests.settlement.views.town import people
from vouchers.models import Certificate

pytestmark = pytest.mark.django_db


@pytest.fixture
def road(organisation: Organisation, cast: dict[str, User], at: datetime) -> Road:
    return settled_road(organisation, cast["bohdan"], at)


def _pk(road: Road, start: str) -> int:
    if start in ("redemption", "claim_line"):
        return getattr(road, f"{start}s")[0].pk
    return getattr(road, start).pk


def _totals(trail: MoneyTrail) -> dict[str, int]:
    return {level.key: level.total for level in trail.levels if level.flows}


@pytest.mark.parametrize("start", ["budget_line", "contract", "certificate", "claim", "payment", "statement_line"])
def test_the_whole_road_is_found_from_both_ends_and_agrees(
    organisation: Organisation, road: Road, start: str, at: datetime, cast: dict[str, User]
) -> None:
    settled_road(organisation, cast["bohdan"], at, mark="2")  # another road that must stay out
    trail = money_trail(organisation=organisation, start=start, pk=_pk(road, start))
    assert trail.payable == PAYABLE
    assert set(_totals(trail).values()) == {PAYABLE}
    assert trail.agrees
    names = {level.key: [node.name for node in level.nodes] for level in trail.levels}
    assert names["budget"] == ["B1 2025"]
    assert names["competition"] == ["T-1"]
    assert names["certificate"] == ["CERT-1"]
    assert names["bank"] == ["ST-1/1"]


@pytest.mark.parametrize("start", ["claim_line", "redemption"])
def test_a_part_of_a_claim_carries_its_part_on_every_level(organisation: Organisation, road: Road, start: str) -> None:
    trail = money_trail(organisation=organisation, start=start, pk=_pk(road, start))
    assert trail.payable == 15500
    assert set(_totals(trail).values()) == {15500}
    claim = next(level for level in trail.levels if level.key == "claim").nodes[0]
    assert (claim.amount, claim.own) == (15500, PAYABLE)


def test_what_is_not_paid_is_a_named_difference(organisation: Organisation, road: Road) -> None:
    PaymentRemittance.objects.update(live=False)
    trail = money_trail(organisation=organisation, start="claim", pk=road.claim.pk)
    payment = next(level for level in trail.levels if level.key == "payment")
    assert payment.difference == -PAYABLE
    assert payment.reason
    assert not trail.agrees


def test_a_record_that_disagrees_with_its_parts_is_named(
    organisation: Organisation, road: Road, as_owner: None
) -> None:
    Adjudication._base_manager.filter(claim_line=road.claim_lines[1]).update(payable=8400, gross=8400)
    trail = money_trail(organisation=organisation, start="claim", pk=road.claim.pk)
    off = {level.key: level.off for level in trail.levels if level.off}
    # The line says 1.00 less than remittance, ledger entry and spending of the budget line.
    assert off == {"budget": 100, "settlement": 100, "posting": 100}
    assert not trail.agrees


def test_what_of_a_bank_record_nobody_has_explained_is_no_disagreement(
    organisation: Organisation, road: Road, as_owner: None
) -> None:
    """The bank took 25.00 more than the payment: that waits for an explanation, and the road says so."""
    StatementLine.objects.filter(pk=road.statement_line.pk).update(amount_minor=-PAYABLE - 2500, status="partial")
    with translation.override("en"):
        trail = money_trail(organisation=organisation, start="budget_line", pk=road.budget_line.pk)
    [record] = next(level for level in trail.levels if level.key == "bank").nodes
    assert (record.amount, record.off, record.gap) == (PAYABLE, 0, 0) and trail.agrees
    assert [(str(rest.name), rest.amount) for rest in record.stays] == [("not explained yet", -2500)]


def test_a_budget_line_leads_from_its_claims_to_all_that_it_spent(
    client: Client, cast: dict[str, User], organisation: Organisation, road: Road, at: datetime
) -> None:
    BudgetEntry.objects.create(
        budget_line=road.budget_line, kind="spending", amount_minor=-3000, label="settlement.clawbackcase:1",
        occurred_on=at, recorded_at=at,
    )  # fmt: skip
    spent = money_trail(organisation=organisation, start="budget_line", pk=road.budget_line.pk).spent
    assert spent is not None and (spent.claims, spent.total, spent.unnamed) == (PAYABLE, PAYABLE - 3000, 0)
    assert [part.amount for part in spent.beside] == [-3000]
    assert money_trail(organisation=organisation, start="claim", pk=road.claim.pk).spent is None
    client.force_login(cast["mariia"])
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    page = client.get(f"/money/budget_line/{road.budget_line.pk}/").content.decode()
    assert "Taken off by cases that ask money back" in page and "does not add up" not in page


def test_many_records_are_counted_and_summed(organisation: Organisation, road: Road) -> None:
    trail = money_trail(organisation=organisation, start="budget_line", pk=road.budget_line.pk, top=1)
    lines = next(level for level in trail.levels if level.key == "claim_line")
    assert (len(lines.nodes), lines.rest_count, lines.rest_total) == (1, 1, 8500)


@pytest.mark.parametrize("start", sorted(set(STARTS) - {"advance"}))
def test_one_query_whatever_the_start(
    organisation: Organisation, road: Road, start: str, django_assert_num_queries: object
) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        money_trail(organisation=organisation, start=start, pk=_pk(road, start))


def test_the_page_draws_tabulates_and_speaks_json(client: Client, cast: dict[str, User], road: Road) -> None:
    client.force_login(cast["mariia"])
    page = client.get(f"/money/claim/{road.claim.pk}/").content.decode()
    assert "<svg" in page
    assert "<desc" in page
    assert "T-1" in page
    answer = client.get(f"/money/claim/{road.claim.pk}/", {"format": "json"}).json()
    assert answer["payable"] == PAYABLE
    assert answer["agrees"] is True
    assert answer["levels"][0]["key"] == "budget"


def test_a_bank_line_that_is_no_payment_of_ours_says_so_instead_of_zeros(client: Client, books: Organisation) -> None:
    user = people(books)["mariia"]
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(user)
    gift = StatementLine.objects.get(status="unmatched")
    page = client.get(f"/money/statement_line/{gift.pk}/").content.decode()
    assert "none of our payments" in page and "Levels of the road" not in page
    paid = StatementLine.objects.filter(status="matched").earliest("position")
    page = client.get(f"/money/statement_line/{paid.pk}/").content.decode()
    assert "none of our payments" not in page and "Levels of the road" in page


def test_a_number_leads_to_its_road(client: Client, cast: dict[str, User], road: Road) -> None:
    client.force_login(cast["halyna"])
    assert client.get("/money/", {"q": "cl-1"}).headers["Location"] == f"/money/claim/{road.claim.pk}/"
    assert client.get("/money/", {"q": "nothing"}).status_code == 200


def test_another_office_and_unknown_starts_are_not_found(
    client: Client, cast: dict[str, User], other_organisation: Organisation, at: datetime
) -> None:
    theirs = settled_road(other_organisation, cast["bohdan"], at, mark="9")
    client.force_login(cast["mariia"])
    for start in set(STARTS) - {"advance"}:
        assert client.get(f"/money/{start}/{_pk(theirs, start)}/").status_code == 404
    assert client.get("/money/nonsense/1/").status_code == 404
    assert starts_numbered(Organisation.objects.get(code="verbivka"), "CL-9") == []


@pytest.mark.parametrize("username", ["outsider", "nadiia", "olena", "chair", "sofiia"])
def test_only_those_who_may_follow_money(client: Client, cast: dict[str, User], username: str) -> None:
    client.force_login(cast[username])
    assert client.get("/money/").status_code == 403
    assert client.get("/money/claim/1/").status_code == 403


def test_what_is_set_aside_is_told_beside_the_flow(organisation: Organisation, road: Road) -> None:
    trail = money_trail(organisation=organisation, start="budget_line", pk=road.budget_line.pk)
    assert next(level for level in trail.levels if level.key == "set_aside").total == 90000


def test_a_line_whose_certificate_was_written_but_not_resolved_is_on_the_road(
    organisation: Organisation, road: Road, as_owner: None
) -> None:
    ClaimLine._base_manager.filter(pk=road.claim_lines[1].pk).update(certificate=None, certificate_number="CERT-1")
    trail = money_trail(organisation=organisation, start="certificate", pk=road.certificate.pk)
    assert trail.payable == PAYABLE
    assert trail.agrees


def test_spending_is_split_by_the_budget_lines_of_the_certificates(
    organisation: Organisation, road: Road, cast: dict[str, User], at: datetime, as_owner: None
) -> None:
    """One claim, two certificates on two budget lines: each line's road carries its own share alone."""
    other = settled_road(organisation, cast["bohdan"], at, mark="2")
    ClaimLine._base_manager.filter(pk=road.claim_lines[1].pk).update(certificate=other.certificate)
    spending = BudgetEntry._base_manager.filter(label=f"settlement.claim:{road.claim.pk}", kind="spending")
    spending.update(amount_minor=15500)
    BudgetEntry.objects.create(
        budget_line=other.budget_line,
        kind="spending",
        amount_minor=8500,
        label=f"settlement.claim:{road.claim.pk}",
        occurred_on=at.date(),
        recorded_at=at,
    )
    trail = money_trail(organisation=organisation, start="budget_line", pk=road.budget_line.pk)
    assert trail.payable == 15500
    assert trail.agrees
    trail = money_trail(organisation=organisation, start="budget_line", pk=other.budget_line.pk)
    assert trail.payable == PAYABLE + 8500
    assert trail.agrees


def _of_next_year(road: Road) -> BudgetLine:
    """The end of the year moved certificate and contract to this line."""
    line = road.budget_line
    following = BudgetLine.objects.create(
        organisation=line.organisation, code=line.code, year=line.year + 1, amount=line.amount
    )
    Certificate.objects.filter(pk=road.certificate.pk).update(budget_line=following)
    Contract.objects.filter(pk=road.contract.pk).update(budget_line=following)
    return following


@pytest.mark.parametrize("start", ["budget_line", "certificate", "contract", "claim", "payment"])
def test_spending_stays_on_the_line_of_the_ended_year(organisation: Organisation, road: Road, start: str) -> None:
    following = _of_next_year(road)
    trail = money_trail(organisation=organisation, start=start, pk=_pk(road, start))
    assert trail.payable == PAYABLE
    assert trail.agrees
    spent = {node.name: node.amount for node in trail.levels[0].nodes if node.amount}
    assert spent == {"B1 2025": PAYABLE}
    trail = money_trail(organisation=organisation, start="budget_line", pk=following.pk)
    assert (trail.payable, trail.agrees) == (0, True)


def test_a_late_claim_is_on_the_line_of_the_year_that_paid_it(
    organisation: Organisation, road: Road, as_owner: None
) -> None:
    """The certificate ended with its year, so it stayed on the old line; the run charged the next year's."""
    following = _of_next_year(road)
    Certificate.objects.filter(pk=road.certificate.pk).update(budget_line=road.budget_line)
    BudgetEntry._base_manager.filter(kind="spending").update(budget_line=following)
    for line, payable in ((road.budget_line, 0), (following, PAYABLE)):
        trail = money_trail(organisation=organisation, start="budget_line", pk=line.pk)
        assert (trail.payable, trail.agrees) == (payable, True)


def test_one_claim_charged_to_two_years_of_a_code_is_split_as_it_was_charged(
    organisation: Organisation, road: Road, cast: dict[str, User], at: datetime, as_owner: None
) -> None:
    other = settled_road(organisation, cast["bohdan"], at, mark="2")
    following = _of_next_year(road)
    ClaimLine._base_manager.filter(pk=road.claim_lines[1].pk).update(certificate=other.certificate)
    Certificate.objects.filter(pk=other.certificate.pk).update(budget_line=following)
    BudgetEntry._base_manager.filter(budget_line=other.budget_line).update(budget_line=following)
    spending = BudgetEntry._base_manager.filter(label=f"settlement.claim:{road.claim.pk}", kind="spending")
    spending.update(amount_minor=15500)
    BudgetEntry.objects.create(
        budget_line=following,
        kind="spending",
        amount_minor=8500,
        label=f"settlement.claim:{road.claim.pk}",
        occurred_on=at.date(),
        recorded_at=at,
    )
    for line, payable in ((road.budget_line, 15500), (following, PAYABLE + 8500)):
        trail = money_trail(organisation=organisation, start="budget_line", pk=line.pk)
        assert (trail.payable, trail.agrees) == (payable, True)


def test_pages_of_records_lead_to_their_road_and_trail(client: Client, cast: dict[str, User], road: Road) -> None:
    assert {begin.model: start for start, begin in STARTS.items()} == MONEY_STARTS
    client.force_login(cast["mariia"])
    page = client.get(f"/contracts/{road.contract.pk}/").content.decode()
    assert f"/money/contract/{road.contract.pk}/" in page
    assert f"/trail/contracts.contract/{road.contract.pk}/" in page
    client.force_login(cast["nadiia"])
    page = client.get(f"/contracts/{road.contract.pk}/").content.decode()
    assert "/money/" not in page
    assert "/trail/" not in page
