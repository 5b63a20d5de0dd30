"""A norm cost, a price or a parameter of past days, put right by two persons of the closed town."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from contracts.actions.agreements import AgreedLine
from contracts.actions.norms import draft_norm_cost
from contracts.actions.parameters import Source, propose_parameter
from contracts.actions.past_norms import approve_past_norm
from contracts.actions.past_parameters import approve_past_parameter
from contracts.actions.past_terms import approve_past_terms, propose_past_terms
from contracts.models import Contract, ContractLine, NormCost, Parameter, ParameterProposal, PastTerms, Service
from contracts.rules.norm_cost import CostItem
from tests.road import NORM_FACTS
from tests.settlement.actions.corrected_town import LEARNT
from tests.settlement.views.town import Town

WHY = "Рішення виконкому № 5 надійшло після закриття місяця"
SINCE = date(2025, 11, 1)
BASIS = "додаткова угода № 2 від 28.10.2025"
SOURCE = Source("рішення виконкому № 6", "V-TEXT")


def draft_norm(
    town: Town,
    other_direct: str = "4.23",
    *,
    since: date = SINCE,
    until: date | None = None,
    reason: str = WHY,
    at: datetime = LEARNT,
) -> NormCost:
    """96.54 with travel at 4.23; every kopiyka of travel is one of the norm."""
    return draft_norm_cost(
        organisation=town.organisation,
        service=Service.objects.get(organisation=town.organisation),
        facts=replace(NORM_FACTS, other_direct=(CostItem("проїзд", Decimal(other_direct)),)),
        valid_from=since,
        valid_to=until,
        act="рішення виконкому № 5 від 20.10.2025",
        actor=town.users["bohdan"].as_actor(),
        at=at,
        reason=reason,
    )


def put_norm_right(town: Town, other_direct: str = "4.23", *, since: date = SINCE, at: datetime = LEARNT) -> NormCost:
    norm = draft_norm(town, other_direct, since=since, at=at)
    return approve_past_norm(norm=norm, actor=town.users["oksana"].as_actor(), at=at)


def propose_terms(
    town: Town, rate: str, *, since: date = SINCE, basis: str = BASIS, reason: str = WHY, at: datetime = LEARNT
) -> PastTerms:
    return propose_past_terms(
        contract=Contract.objects.get(organisation=town.organisation),
        line=AgreedLine(Service.objects.get(organisation=town.organisation), Decimal(rate)),
        valid_from=since,
        basis=basis,
        reason=reason,
        actor=town.users["bohdan"].as_actor(),
        at=at,
    )


def put_price_right(
    town: Town, rate: str, *, since: date = SINCE, basis: str = BASIS, at: datetime = LEARNT
) -> ContractLine:
    terms = propose_terms(town, rate, since=since, basis=basis, at=at)
    return approve_past_terms(terms=terms, actor=town.users["oksana"].as_actor(), at=at)


def propose_value(
    town: Town,
    key: str,
    value: str,
    *,
    since: date = SINCE,
    reason: str = WHY,
    source: Source = SOURCE,
    at: datetime = LEARNT,
) -> ParameterProposal:
    return propose_parameter(
        organisation=town.organisation,
        key=key,
        value=value,
        valid_from=since,
        source=source,
        actor=town.users["pavlo"].as_actor(),
        at=at,
        reason=reason,
    )


def put_parameter_right(town: Town, key: str, value: str, *, since: date = SINCE, at: datetime = LEARNT) -> Parameter:
    proposal = propose_value(town, key, value, since=since, at=at)
    return approve_past_parameter(proposal=proposal, actor=town.users["oksana"].as_actor(), at=at)
