"""A run judged again years later: equal to the kopiyka; a changed row, rule, parameter or register is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from django.utils import translation

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from contracts.models import NormCost, Parameter, Provider, Service
from settlement import judging
from settlement.actions.claims import reverse_claim
from settlement.models import Adjudication, AdjudicationRun, ClaimLine, Finding, Remittance
from settlement.replay import replay_run
from settlement.rules.parameters import WINDOW_DAYS
from tests.conftest import AT
from tests.settlement.actions.lifting import lift
from tests.settlement.actions.month import example_5_2, free_visits, imported, judge, the_claim
from vouchers.actions.plans import close_plan
from vouchers.actions.recipients import record_death
from vouchers.models import IndividualPlan, Recipient

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(days=300)
WHO: dict[str, Any] = {"actor": SYSTEM, "at": LATER}


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def office(tmp_path: Path) -> Organisation:
    organisation = imported(example_5_2(), tmp_path)
    judge(organisation)
    return organisation


def the_run(number: int = 1) -> AdjudicationRun:
    return AdjudicationRun.objects.get(number=number)


def change_everything(office: Organisation) -> None:
    """What was learnt later changes every line, were it known."""
    close_plan(plan=IndividualPlan.objects.get(), last_day=date(2025, 10, 31), **WHO)
    record_death(recipient=Recipient.objects.get(), death_date=date(2025, 11, 2), **WHO)
    for norm in NormCost.objects.all():
        norm.change(at=LATER, valid_to=date(2025, 11, 2))
    Provider.objects.get(code="P1").change(at=LATER, active_to=date(2025, 11, 2))
    Parameter.objects.create(
        organisation=office, jurisdiction="UA", key=WINDOW_DAYS, valid_from=date(2025, 11, 1), value="1",
        recorded_at=LATER,
    )  # fmt: skip


def test_what_is_learnt_later_changes_no_replay(office: Organisation) -> None:
    change_everything(office)
    replay = replay_run(the_run())
    assert (replay.equal, replay.differences, replay.changes, replay.lines) == (True, (), (), 14)
    assert replay.sentence == "Run 2025-11/1 judged again: all 14 lines come out the same, to the last kopiyka."
    today = replay_run(the_run(), known_at=LATER)
    assert not today.equal and not today.damaged
    assert {"norm_costs", "plan_lines", "recipients", "providers"} <= {row.name for row in today.changes}


def test_what_is_learnt_on_the_same_day_after_the_run_changes_no_replay(office: Organisation) -> None:
    for norm in NormCost.objects.all():
        norm.change(at=AT + timedelta(minutes=1), valid_to=date(2025, 11, 2))
    assert replay_run(the_run()).equal


def test_a_run_of_a_lifted_pend_and_a_reversal_are_replayed(tmp_path: Path) -> None:
    tables = free_visits()
    tables["redemptions"][0]["status"] = "voided"
    office = imported(tables, tmp_path)
    judge(office)
    lift(office, ClaimLine.objects.get(line=1), at=AT)
    judge(office, at=AT + timedelta(hours=1))
    reverse_claim(organisation=office, claim_id=the_claim().pk, reason="error", actor=SYSTEM, at=AT)
    judge(office, at=AT + timedelta(hours=2))
    replays = [replay_run(run) for run in AdjudicationRun.objects.order_by("number")]
    assert [(replay.equal, replay.lines) for replay in replays] == [(True, 2), (True, 1), (True, 0)]
    assert [len(replay.result.adjudications) for replay in replays] == [2, 1, 3]


def test_a_changed_row_is_named(office: Organisation, as_owner: None) -> None:
    row = Adjudication._base_manager.get(claim_line__line=1)
    Adjudication._base_manager.filter(pk=row.pk).update(gross=row.gross + 100, payable=row.payable + 100)
    Remittance._base_manager.update(fee=F("fee") - 100, payable=F("payable") + 100)
    Finding._base_manager.filter(check_code="CLM-12").delete()
    replay = replay_run(the_run())
    assert replay.damaged and not replay.changes
    assert {(row.line, row.what) for row in replay.differences} >= {
        (1, "gross"), (1, "payable"), (0, "fee"), (0, "payable"),
    }  # fmt: skip
    assert any(row.what == "CLM-12" and not row.stored for row in replay.differences)
    assert "They were changed after the run" in replay.sentence


def test_a_vanished_decision_is_named(office: Organisation, as_owner: None) -> None:
    Adjudication._base_manager.filter(claim_line__line=2).delete()
    replay = replay_run(the_run(), line=ClaimLine.objects.get(line=2))
    assert [(row.line, row.what, row.stored) for row in replay.differences] == [(2, "row", "")]
    assert replay_run(the_run(), line=ClaimLine.objects.get(line=3)).equal


def test_another_rule_is_told_though_the_result_is_the_same(
    office: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = judging.rule_versions()
    monkeypatch.setattr("settlement.replay.rule_versions", lambda: versions | {"CLM-17": "other", "engine": "other"})
    replay = replay_run(the_run())
    assert replay.equal
    assert [(row.kind, row.name, row.now) for row in replay.changes] == [("rule", "CLM-17", "other")]
    assert "has another version" in replay.changes[0].words


def test_a_figure_without_a_second_time_is_told_by_its_register(office: Organisation) -> None:
    Service.objects.update(units_per_month_max=1)
    replay = replay_run(the_run())
    assert not replay.equal and not replay.damaged
    assert [row.words for row in replay.changes] == ["Records differ: the catalogue of services."]


def test_a_parameter_rewritten_by_force_is_told(office: Organisation, as_owner: None) -> None:
    run = the_run()
    AdjudicationRun._base_manager.update(
        parameters=[row | {"value": "59"} for row in run.parameters]
        + [{"key": WINDOW_DAYS, "value": "61"}] * (not run.parameters)
    )
    words = [row.words for row in replay_run(the_run()).changes]
    assert words and all("Parameter" in text for text in words)


def told(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("replay_run", *arguments, stdout=out)
    except SystemExit as stop:
        return int(str(stop.code)), out.getvalue()
    except CommandError as refusal:
        return refusal.returncode, str(refusal)
    return 0, out.getvalue()


def test_the_command_says_so(office: Organisation, as_owner: None) -> None:
    assert told("2025-11/1")[0] == 0
    assert told("2025-11/1", "--line", "A-1/3")[0] == 0
    for wrong in (
        ["2025-11/7"],
        ["x"],
        ["2025-11/²"],
        ["2025-11/1", "--line", "A-1/99"],
        ["2025-11/1", "--line", "A-1"],
    ):
        assert told(*wrong)[0] == 2
    row = Adjudication._base_manager.get(claim_line__line=3)
    Adjudication._base_manager.filter(pk=row.pk).update(fee=row.fee + 1, payable=row.payable - 1)
    code, text = told("2025-11/1")
    assert code == 1 and "A-1/3" in text
    code, text = told("2025-11/1", "--json")
    found = json.loads(text)
    assert (code, found["equal"], found["damaged"]) == (1, False, True)
    assert {row["line"] for row in found["differences"]} == {3}
