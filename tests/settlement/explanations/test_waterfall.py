"""The worked example of the rule book, read from the stored rows; damaged rows are not shown as right."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils.translation import override

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from settlement.actions.claims import reverse_claim
from settlement.explanations import FiguresDisagree, explain_lines
from settlement.line_queries import claim_lines, claim_totals, histories, line_sources, main_checks
from settlement.models import Adjudication, Claim, ClaimLine
from tests.settlement.actions.lifting import lift
from tests.settlement.actions.month import AT, example_5_2, imported, judge, two_visits
from tests.settlement.explanations.test_sentences import explained, steps_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(tmp_path: Path) -> Organisation:
    organisation = imported(example_5_2(), tmp_path)
    judge(organisation)
    return organisation


@pytest.fixture(autouse=True)
def _in_english() -> object:
    with override("en"):
        yield


def test_the_worked_example_step_by_step(office: Organisation) -> None:
    """2 058.00 claimed, -63.00, -142.50, -142.50, -190.00; 1 520.00 allowed; -1 278.00 fee; 242.00 paid."""
    lines = explained("A-1")
    taken = {
        code: sum(step.amount for step in steps_of(lines, code)) for code in ("CLM-16", "CLM-27", "CLM-20", "CLM-12")
    }
    assert taken == {"CLM-16": -6300, "CLM-27": -14250, "CLM-20": -14250, "CLM-12": -19000}
    rows = [row for line in lines for row in line.runs[0][2]]
    sums = {
        kind: sum(row.amount for row in rows if row.kind == kind) for kind in ("claimed", "gross", "fee", "payable")
    }
    assert sums == {"claimed": 205800, "gross": 152000, "fee": -127800, "payable": 24200}
    assert claim_totals(Claim.objects.get(number="A-1")) == {
        "amount_claimed": 205800,
        "gross": 152000,
        "fee": 127800,
        "payable": 24200,
        "pended": 0,
        "reductions": 53800,
    }


def test_a_step_names_its_figures_and_the_record_it_rests_on(office: Organisation) -> None:
    lines = explained("A-1")
    rate = steps_of(lines, "CLM-16")[0]
    assert rate.sentence == "The contract's rate of 95.00 is below the claimed 98.00: the rate was lowered."
    assert rate.basis.parameter == "contract K1"
    assert str(rate.basis.since) == "2025-01-01"
    stay = steps_of(lines, "CLM-27")[0]
    assert "04.11.2025" in stay.sentence
    balance = steps_of(lines, "CLM-12")[0]
    assert balance.sentence == "1 h were left on certificate C1; 0.5 h beyond that are not paid."
    assert balance.units in (500, 1500)
    assert (balance.basis.parameter, str(balance.basis.since)) == ("certificate C1", "2025-01-01")
    assert balance.ground.words == "the rules of the certificate"


def test_a_plan_and_a_ceiling_are_named_with_their_days(tmp_path: Path) -> None:
    tables = two_visits()
    tables["plan_lines"][0]["units_per_month"] = "2"
    tables["contracts"][0]["ceiling"] = "100"
    judge(imported(tables, tmp_path))
    lines = explained("A-1")
    (plan,) = steps_of(lines, "CLM-13")
    assert plan.basis.parameter.startswith("individual plan") and str(plan.basis.since) == "2025-01-01"
    assert plan.ground.words == "the recipient's individual plan; Cabinet 587 of 01.06.2020"
    assert {step.basis.parameter for step in steps_of(lines, "CLM-19")} == {"contract K1"}


def test_steps_stand_in_the_order_in_which_they_take(office: Organisation) -> None:
    duplicate = explained("A-1")[-1]
    kinds = [(step.kind, step.code) for step in duplicate.runs[0][2]]
    assert kinds[0] == ("claimed", "")
    assert kinds[1] == ("finding", "CLM-16")
    assert [code for kind, code in kinds if kind == "finding"][1:] == ["CLM-20", "CLM-21", "CLM-22"]
    assert [kind for kind, _ in kinds[-3:]] == ["gross", "fee", "payable"]


@pytest.mark.parametrize("died", [True, False])
def test_a_death_is_told_before_what_it_explains(tmp_path: Path, died: bool) -> None:
    tables = two_visits()
    tables["certificates"][0]["valid_to"] = "2025-11-02"
    if died:
        tables["recipients"][0]["death_date"] = "2025-11-01"
    judge(imported(tables, tmp_path))
    line = explained("A-1")[0]
    told = [step.code for step in line.runs[0][2] if step.kind == "finding"]
    assert told == (["CLM-26", "CLM-10"] if died else ["CLM-10"])
    assert line.reason is not None and line.judged is not None and line.reason.code == told[0]
    assert list(main_checks([line.judged.adjudication]).values()) == told[:1]
    assert [row.check_code for row in line.judged.findings] == sorted(told)


def test_damaged_findings_are_not_shown(office: Organisation, as_owner: None) -> None:
    Adjudication._base_manager.filter(claim_line__line=1).update(gross=1, payable=1, fee=0)
    claim = Claim.objects.get(number="A-1")
    lines = list(claim_lines(claim))
    found, sources = histories(lines), line_sources(claim.organisation_id, lines)
    with pytest.raises(FiguresDisagree):
        explain_lines(found, sources)


def test_a_cleared_line_shows_both_runs_and_counts_once(tmp_path: Path) -> None:
    tables = two_visits()
    tables["redemptions"][0]["status"] = "voided"
    organisation = imported(tables, tmp_path)
    judge(organisation)
    claim = Claim.objects.get(number="A-1")
    assert claim_totals(claim)["pended"] == 14250
    line = ClaimLine.objects.get(claim=claim, line=1)
    lift(organisation, line, at=AT)
    judge(organisation)
    first = explained("A-1")[0]
    assert [run.number for run, _, _ in first.runs] == [1, 2]
    assert first.runs[0][1] == "The line waits for a person's decision; nothing of what waits is paid yet."
    assert first.history.clearances[0].reason == "seen"
    totals = claim_totals(claim)
    assert (totals["amount_claimed"], totals["gross"], totals["pended"]) == (28500, 28500, 0)


def test_a_reversal_is_explained_with_opposite_amounts(office: Organisation) -> None:
    claim = Claim.objects.get(number="A-1")
    reversing = reverse_claim(organisation=office, claim_id=claim.pk, reason="error", actor=SYSTEM, at=AT)
    judge(office)
    lines = explained(reversing.number)
    assert len(lines) == 14
    rows = [row for line in lines for row in line.runs[0][2]]
    sums = {
        kind: sum(row.amount for row in rows if row.kind == kind) for kind in ("claimed", "gross", "fee", "payable")
    }
    assert sums == {"claimed": -205800, "gross": -152000, "fee": 127800, "payable": -24200}
    assert claim_totals(reversing)["payable"] == -24200
