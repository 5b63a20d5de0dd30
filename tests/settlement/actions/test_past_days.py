"""Who may put past days right, when, and what stays known: norm costs, prices and parameters alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from config.audit.actors import Actor
from config.errors import FourEyes
from config.office.models import EarlierVersion, OutboxMessage
from config.states import InvalidMove
from contracts.actions import amendments, norms, parameters, past_days, past_terms
from contracts.actions.agreements import AgreedLine, PriceAboveNorm
from contracts.actions.check_facts import RelatedPerson
from contracts.actions.past_norms import approve_past_norm
from contracts.actions.past_parameters import approve_past_parameter
from contracts.actions.past_terms import approve_past_terms
from contracts.models import Contract, ContractLine, NormCost, Parameter, PastTerms, ProviderRelation
from contracts.queries import norm_cost_on
from contracts.settled_queries import settled_lines
from settlement.actions.corrections import NothingToCorrect
from tests.settlement.actions.corrected_town import LATER, LEARNT, closed_town, propose
from tests.settlement.actions.month import AT
from tests.settlement.actions.put_right import (
    SINCE,
    draft_norm,
    propose_terms,
    propose_value,
    put_norm_right,
    put_price_right,
)
from tests.settlement.views.town import Town
from tests.trail import trail_for

pytestmark = pytest.mark.django_db
HOURS = "worker.hours_per_day_max"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return closed_town(tmp_path)


def proposed(town: Town, kind: str) -> tuple[Any, Callable[[Actor], Any]]:
    """A draft of a kind by its usual author, and its approval."""
    if kind == "norm":
        norm = draft_norm(town, "-2.31")
        return norm, lambda actor: approve_past_norm(norm=norm, actor=actor, at=LEARNT)
    if kind == "terms":
        terms = propose_terms(town, "92.00")
        return terms, lambda actor: approve_past_terms(terms=terms, actor=actor, at=LEARNT)
    proposal = propose_value(town, HOURS, "10")
    return proposal, lambda actor: approve_past_parameter(proposal=proposal, actor=actor, at=LEARNT)


@pytest.mark.parametrize("kind", ["norm", "terms", "parameter"])
def test_another_person_who_is_not_related_approves_once_and_finance_is_told(town: Town, kind: str) -> None:
    row, approve = proposed(town, kind)
    author = row.author
    with pytest.raises(FourEyes):
        approve(author.as_actor())
    relation = ProviderRelation.objects.create(
        user=town.users["oksana"], provider=town.claim.provider, reason="сестра", valid_from=date(2025, 1, 1),
        recorded_at=AT,
    )  # fmt: skip
    with pytest.raises(RelatedPerson):
        approve(town.users["oksana"].as_actor())
    relation.change(at=LEARNT, valid_to=date(2025, 2, 1))
    approve(town.users["oksana"].as_actor())
    row.refresh_from_db()
    assert (row.status, row.approver) == ("approved", town.users["oksana"])
    with pytest.raises(InvalidMove):
        approve(town.users["oksana"].as_actor())
    event = trail_for(row).first()
    assert event is not None and event.data["months"] == ["2025-11"] and event.data["lines"] == 15
    told = OutboxMessage.objects.get(code=event.action)
    assert told.user == town.users["halyna"] and told.params["months"] == ["2025-11"]
    with pytest.raises(IntegrityError), transaction.atomic():
        type(row).objects.filter(pk=row.pk).update(approver=author)


def test_the_earlier_norm_ends_the_day_before_and_both_moments_stay_known(town: Town) -> None:
    was = NormCost.objects.get()
    norm = put_norm_right(town, "-2.31", since=date(2025, 11, 10))
    was.refresh_from_db()
    assert (was.status, was.valid_to, norm.valid_to) == ("approved", date(2025, 11, 10), None)
    kept = EarlierVersion.objects.get(table_name="contracts_normcost", row_id=was.pk)
    assert (kept.was["valid_to"], kept.known_until) == (None, was.changed_at)
    scope: dict[str, Any] = {"organisation": town.organisation, "service": norm.service}
    assert norm_cost_on(**scope, on=date(2025, 11, 9)) == was
    assert norm_cost_on(**scope, on=date(2025, 11, 10)) == norm


def test_a_norm_wrong_from_its_first_day_is_withdrawn_for_the_right_one(town: Town) -> None:
    was = NormCost.objects.get()
    norm = put_norm_right(town, "-2.31", since=was.valid_from)
    was.refresh_from_db()
    assert (was.status, norm.status, norm.valid_to) == ("withdrawn", "approved", None)


def test_it_holds_only_as_long_as_the_one_it_replaces(town: Town) -> None:
    was = NormCost.objects.get()
    later = draft_norm(town, "4.00", since=LEARNT.date() + timedelta(days=30), reason="")
    norms.approve_norm_cost(norm=later, actor=town.users["oksana"].as_actor(), at=LEARNT)
    norm = put_norm_right(town, "-2.31", at=LEARNT + timedelta(minutes=1))
    was.refresh_from_db()
    assert (was.valid_to, norm.valid_to) == (SINCE, later.valid_from)
    assert norm_cost_on(
        organisation=town.organisation, service=norm.service, on=later.valid_from
    ) == NormCost.objects.get(pk=later.pk)


def test_refusals_of_norms_say_which_way_to_go(town: Town) -> None:
    oksana = town.users["oksana"].as_actor()
    with pytest.raises(past_days.DayToCome):
        draft_norm(town, since=LEARNT.date() + timedelta(days=1))
    with pytest.raises(past_days.NothingPutRight):
        put_norm_right(town)
    without = draft_norm(town, "-2.31", reason="")
    for approve in (norms.approve_norm_cost, approve_past_norm):
        with pytest.raises((norms.NormOfPastDays, past_days.PastReasonMissing)):
            approve(norm=without, actor=oksana, at=LEARNT)
    # The ordinary approval does not take a draft that puts past days right.
    with pytest.raises(norms.NormOfPastDays):
        norms.approve_norm_cost(norm=draft_norm(town, "-2.31"), actor=oksana, at=LEARNT)
    with pytest.raises(norms.NormInUse):
        norms.end_norm_cost(
            norm=NormCost.objects.get(status="approved"), valid_to=SINCE, basis="x", actor=oksana, at=AT
        )
    assert NormCost.objects.get(status="approved").valid_to is None
    # Nothing that was refused changes a decision.
    with pytest.raises(NothingToCorrect):
        propose(town, ground="norm")


def test_prices_of_closed_months_change_this_way_only(town: Town) -> None:
    contract = Contract.objects.get()
    line = AgreedLine(ContractLine.objects.get().service, Decimal("92.00"))
    bohdan = town.users["bohdan"].as_actor()
    with pytest.raises(amendments.ContractMonthClosed):
        amendments.amend_contract_line(
            contract=contract, line=line, valid_from=SINCE, basis="x", actor=bohdan, at=LEARNT
        )
    with pytest.raises(past_days.PastReasonMissing):
        propose_terms(town, "92.00", reason=" ")
    with pytest.raises(past_days.NothingPutRight):
        propose_terms(town, "95.00")
    with pytest.raises(PriceAboveNorm):
        propose_terms(town, "96.55")
    with pytest.raises(amendments.OutsideContract):
        propose_terms(town, "92.00", since=date(2024, 12, 31))
    terms = propose_terms(town, "92.00")
    with pytest.raises(past_terms.PastTermsWait):
        propose_terms(town, "91.00")
    past_terms.withdraw_past_terms(terms=terms, reason="Помилка", actor=bohdan, at=LEARNT)
    with pytest.raises(InvalidMove):
        approve_past_terms(terms=terms, actor=town.users["oksana"].as_actor(), at=LEARNT)
    assert ContractLine.objects.get().unit_rate == Decimal("95.0000")
    row = put_price_right(town, "91.00")
    assert PastTerms.objects.get(status="approved").line == row


def test_values_of_closed_months_change_this_way_only(town: Town) -> None:
    oksana = town.users["oksana"].as_actor()
    with pytest.raises(parameters.ParameterDayClosed):
        propose_value(town, HOURS, "10", reason="")
    with pytest.raises(past_days.DayToCome):
        propose_value(town, HOURS, "10", since=LEARNT.date() + timedelta(days=1))
    proposal = propose_value(town, HOURS, "10")
    with pytest.raises(parameters.ParameterOfPastDays):
        parameters.approve_parameter(proposal=proposal, actor=oksana, at=LEARNT)
    assert not Parameter.objects.filter(organisation=town.organisation).exists()
    same = propose_value(town, HOURS, "12")
    with pytest.raises(past_days.NothingPutRight):
        approve_past_parameter(proposal=same, actor=oksana, at=LEARNT)
    own = approve_past_parameter(proposal=proposal, actor=oksana, at=LEARNT)
    assert (own.organisation, own.valid_from, own.value) == (town.organisation, SINCE, "10")


def test_what_is_touched_is_counted_with_the_most_that_would_change(town: Town) -> None:
    service = NormCost.objects.get().service
    found = settled_lines(town.organisation, since=SINCE, service=service, rate=Decimal("90"))
    [month] = found.months
    lines = town.claim.adjudications.filter(gross__gt=0)
    assert (found.lines, month.gross_minor, month.closed) == (15, sum(row.gross for row in lines), True)
    # Five hryvnias less for each unit that was allowed at 95.00.
    assert month.difference_minor == -sum(row.units_allowed for row in lines) // 2
    assert settled_lines(town.organisation, since=LATER.date()).months == ()
    assert settled_lines(town.organisation, since=SINCE, until=date(2025, 11, 4), service=service).lines == 2
