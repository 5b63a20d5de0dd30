"""Needs, fee decisions and plans."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError

from contracts.models import Parameter
from contracts.parameters import ParameterMissing
from tests.trail import trail_for
from tests.vouchers.town import NOVEMBER_1, OCTOBER, Town, pensioner
from vouchers.actions.assessments import (
    AssessmentInFuture,
    BirthDateMissing,
    DependencyLevelMissing,
    FeeInputs,
    FeeStartNotFirst,
    FeeUndetermined,
    LaterFeeDecision,
    RetroactiveIncrease,
    assess_needs,
    decide_fee,
)
from vouchers.actions.plans import (
    PlanDatesReversed,
    PlanEmpty,
    PlannedVolume,
    PlanOverlap,
    PlanUnits,
    PlanWithoutAssessment,
    _write_lines,
    approve_plan,
    close_plan,
)
from vouchers.models import FeeAssessment, Recipient
from vouchers.rules.co_payment import FreeCategory


def _decide(town: Town, recipient: Recipient, inputs: FeeInputs, **changes: object) -> FeeAssessment:
    fields = {"valid_from": NOVEMBER_1, "actor": town.case_worker, "at": OCTOBER}
    return decide_fee(recipient=recipient, inputs=inputs, **{**fields, **changes})


@pytest.mark.parametrize(
    ("income", "mode", "limit"),
    [
        ("4722.00", "F", None),  # EX-UA-1
        ("4722.01", "D", "0.01"),  # EX-UA-2
        ("6000.00", "D", "1278.00"),  # EX-UA-3
        ("9444.00", "D", "4722.00"),  # EX-UA-4
        ("9444.01", "C", None),  # EX-UA-5
    ],
)
def test_the_decision_follows_the_income(town: Town, income: str, mode: str, limit: str | None) -> None:
    decision = _decide(town, town.recipient(), pensioner(income))
    assert (decision.mode, decision.income_member) == (mode, Decimal(income))
    assert decision.monthly_limit == (None if limit is None else Decimal(limit))


def test_the_decision_keeps_what_it_relied_on(town: Town) -> None:
    recipient = town.recipient()
    decision = _decide(town, recipient, pensioner("6000.00"))
    keys = {row["key"]: row for row in decision.parameters}
    assert keys["sm.lost_ability"]["value"] == "2361" and keys["sm.lost_ability"]["valid_from"] == "2025-01-01"
    assert Parameter.objects.get(pk=keys["inc.window"]["id"]).value == "QUARTER"
    assert [row["code"] for row in decision.steps][:2] == ["income_window", "income_total"]
    assert decision.formula_id == "FEE-UA-1/1" and decision.inputs["application_date"] == "2025-10-20"
    assert trail_for(recipient).filter(action="fee.decided").count() == 1


def test_a_missing_statement_blocks_the_decision(town: Town) -> None:
    recipient = town.recipient()
    with pytest.raises(FeeUndetermined):
        _decide(town, recipient, pensioner(None))
    with pytest.raises(FeeUndetermined):
        _decide(town, recipient, FeeInputs(application_date=date(2025, 10, 20)))
    assert not FeeAssessment.objects.exists()


def test_a_proven_category_needs_no_income_and_is_not_named_in_the_decision(town: Town) -> None:
    inputs = FeeInputs(date(2025, 10, 20), member_categories=((FreeCategory("VIOLENCE", "док. 5"),),))
    decision = _decide(town, town.recipient(), inputs)
    assert (decision.mode, decision.income_member) == ("F", None)
    assert "VIOLENCE" not in str(decision.inputs)
    unproven = FeeInputs(date(2025, 10, 20), member_categories=((FreeCategory("VIOLENCE"),),))
    with pytest.raises(FeeUndetermined):
        _decide(town, town.recipient(), unproven)


def test_a_new_decision_closes_the_one_before(town: Town) -> None:
    recipient = town.recipient()
    first = _decide(town, recipient, pensioner("6000.00"))
    _decide(town, recipient, pensioner("6000.00", date(2026, 1, 10)), valid_from=date(2026, 1, 1))
    first.refresh_from_db()
    second = recipient.fee_assessments.get(valid_to=None)
    assert first.valid_to == date(2026, 1, 1)
    assert second.monthly_limit == Decimal("810.00")  # EX-UA-6: the minimum rose, the fee fell
    with pytest.raises(LaterFeeDecision):
        _decide(town, recipient, pensioner("4000.00"))


def test_a_fee_never_rises_backwards_but_may_fall(town: Town) -> None:
    recipient = town.recipient()
    _decide(town, recipient, pensioner("6000.00"), valid_from=date(2025, 8, 1))
    with pytest.raises(RetroactiveIncrease):
        _decide(town, recipient, pensioner("7000.00"), valid_from=date(2025, 9, 1))
    assert _decide(town, recipient, pensioner("4000.00"), valid_from=date(2025, 9, 1)).mode == "F"


def test_refusals_of_a_decision(town: Town) -> None:
    with pytest.raises(FeeStartNotFirst):
        _decide(town, town.recipient(), pensioner("4000.00"), valid_from=date(2025, 11, 2))
    with pytest.raises(BirthDateMissing):
        _decide(town, town.recipient(birth_date=None), pensioner("4000.00"))
    Parameter.objects.get(key="pay.fee_method").withdraw(at=OCTOBER)
    with pytest.raises(ParameterMissing):
        _decide(town, town.recipient(), pensioner("4000.00"))


def test_an_assessment_is_dated_when_it_was_made(town: Town) -> None:
    with pytest.raises(AssessmentInFuture):
        assess_needs(
            recipient=town.recipient(), assessed_on=NOVEMBER_1, dependency_level="", findings="", recommended=[],
            actor=town.case_worker, at=OCTOBER,
        )  # fmt: skip


def test_only_an_overlap_is_called_one(town: Town) -> None:
    recipient = town.ready()
    beyond = PlannedVolume(town.service, Decimal("-1"), date(2026, 1, 1))
    plan = recipient.plans.get()
    with pytest.raises(IntegrityError, match="plan_line_positive"):
        _write_lines(plan, [replace(beyond, valid_from=date(2020, 1, 1), last_day=date(2020, 2, 1))], OCTOBER)
    with pytest.raises(PlanOverlap):
        _write_lines(plan, [replace(beyond, units_per_month=Decimal(1))], OCTOBER)


def test_an_assessment_says_how_much_help_is_needed(town: Town) -> None:
    common = {"assessed_on": date(2025, 10, 1), "findings": "", "recommended": [], "actor": town.case_worker}
    recipient = town.recipient()
    with pytest.raises(DependencyLevelMissing):
        assess_needs(recipient=recipient, dependency_level=" ", at=OCTOBER, **common)  # type: ignore[arg-type]
    assess_needs(recipient=recipient, dependency_level="II", at=OCTOBER, **common)  # type: ignore[arg-type]
    assert recipient.assessments.count() == 1


def test_a_plan_and_its_refusals(town: Town) -> None:
    recipient = town.recipient()
    volume = PlannedVolume(town.service, Decimal(20), NOVEMBER_1)
    common = {"recipient": recipient, "actor": town.case_worker, "at": OCTOBER}
    with pytest.raises(PlanEmpty):
        approve_plan(volumes=[], **common)
    with pytest.raises(PlanWithoutAssessment):
        approve_plan(volumes=[volume], **common)
    assess_needs(
        recipient=recipient, assessed_on=date(2025, 10, 1), dependency_level="II", findings="", recommended=[],
        actor=town.case_worker, at=OCTOBER,
    )  # fmt: skip
    for units in ("0.1", "81", "0"):
        with pytest.raises(PlanUnits):
            approve_plan(volumes=[PlannedVolume(town.service, Decimal(units), NOVEMBER_1)], **common)
    with pytest.raises(PlanDatesReversed):
        approve_plan(volumes=[replace(volume, last_day=date(2025, 10, 31))], **common)
    plan = approve_plan(volumes=[volume], **common)
    assert (plan.status, plan.lines.get().units_per_month) == ("approved", Decimal(20))
    with pytest.raises(PlanOverlap):
        approve_plan(volumes=[volume], **common)
    close_plan(plan=plan, last_day=date(2025, 11, 30), actor=town.case_worker, at=OCTOBER)
    assert plan.lines.get().valid_to == date(2025, 12, 1)
    later = PlannedVolume(town.service, Decimal(10), date(2025, 12, 1))
    assert approve_plan(volumes=[later], **common).number != plan.number
