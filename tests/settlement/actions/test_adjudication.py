"""A run through the database: results, budget, claims, ledger and trail together, or nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Sum

from config.accounts.models import Organisation, User
from config.audit.actors import SYSTEM
from config.audit.models import AuditEvent
from contracts.actions.budgets import BudgetExceeded
from contracts.models import BudgetEntry, BudgetLine, Provider
from settlement.actions import adjudication
from settlement.actions.adjudication import ClaimsChanged
from settlement.actions.claims import reverse_claim
from settlement.actions.runs import propose_payment_run
from settlement.books import verify_books
from settlement.models import Adjudication, AdjudicationRun, Claim, ClaimLine, Entry, Finding, Remittance
from tests.config.interchange.packages import load
from tests.oracle.generate import generate, write
from tests.oracle.recalculate import recalculate
from tests.oracle.small import Tables
from tests.settlement.actions.lifting import lift
from tests.settlement.actions.month import (
    AT,
    LONG_AFTER,
    NOVEMBER,
    balance,
    example_5_2,
    free_visits,
    imported,
    judge,
    reserve,
    set_aside,
    the_claim,
    two_visits,
)
from vouchers.models import Certificate, CertificateEntry, Recipient

pytestmark = pytest.mark.django_db


def test_worked_example_of_rulebook_5_2(tmp_path: Path) -> None:
    organisation = imported(example_5_2(), tmp_path)
    run = judge(organisation)
    assert run is not None
    assert (run.amount_claimed_minor, run.gross_minor, run.fee_minor, run.payable_minor) == (
        205_800, 152_000, 127_800, 24_200,
    )  # fmt: skip
    claim = the_claim()
    assert (claim.status, claim.run) == ("adjudicated", 1)
    remittance = Remittance.objects.get(claim=claim)
    assert (remittance.reductions, remittance.pended, remittance.payable) == (53_800, 0, 24_200)
    assert balance("expense:B1-2025") == 152_000
    assert balance("fee:B1-2025") == -127_800
    assert balance("payable:P1") == -24_200
    assert set_aside("spending") == 24_200
    assert verify_books() == []


def test_findings_keep_their_figures(tmp_path: Path) -> None:
    organisation = imported(example_5_2(), tmp_path)
    judge(organisation)
    cut = Finding.objects.filter(check_code="CLM-16").first()
    assert cut is not None and (cut.severity, cut.amount, cut.detail) == ("C", 450, {"limit": "95.00"})
    duplicate = Finding.objects.get(check_code="CLM-20", amount__gt=0)
    assert duplicate.detail == {"earlier_claim": "A-1", "earlier_line": "1"}


def test_one_event_with_digest_and_parameters(tmp_path: Path) -> None:
    organisation = imported(two_visits(), tmp_path)
    run = judge(organisation)
    assert run is not None
    event = AuditEvent.objects.get(action="claims.adjudicated")
    assert event.data["digest"] == run.digest and len(run.digest) == 64
    assert f"settlement.claim:{the_claim().pk}" in event.objects_touched
    assert event.data["parameters"] == run.parameters


def test_nothing_left_to_judge_changes_nothing(tmp_path: Path) -> None:
    organisation = imported(two_visits(), tmp_path)
    judge(organisation)
    before = AuditEvent.objects.count(), Adjudication.objects.count(), Entry.objects.count()
    assert judge(organisation) is None
    assert (AuditEvent.objects.count(), Adjudication.objects.count(), Entry.objects.count()) == before


def test_the_same_input_gives_the_same_digest_elsewhere(tmp_path: Path) -> None:
    first = judge(imported(example_5_2(), tmp_path / "a"))
    write(example_5_2(), tmp_path / "b", code="OTHER")
    tables = example_5_2()
    for table, column in (("providers", "code"), ("workers", "code")):
        tables[table][0][column] += "-b"
    for table in tables.values():
        for row in table:
            for column, old in (("provider_code", "P1"), ("worker_code", "W1")):
                if row.get(column) == old:
                    row[column] = f"{old}-b"
    load(write(tables, tmp_path / "c", code="OTHER"))
    second = judge(Organisation.objects.get(code="OTHER"))
    assert first is not None and second is not None and first.digest == second.digest


@pytest.mark.parametrize("seed", [21, 22, 25])
def test_database_run_agrees_with_the_independent_recalculation(seed: int, tmp_path: Path) -> None:
    write(generate(seed, lines=40, same_run_reversal=seed % 5 == 0), tmp_path)
    report = load(tmp_path)
    organisation = Organisation.objects.get(code=report.organisation)
    for period in Claim.objects.dates("period", "month"):
        while judge(organisation, period=period, as_of=LONG_AFTER):
            pass
    expected = recalculate(tmp_path)
    rows = Adjudication.objects.values_list(
        "run__number", "claim__number", "claim_line__line", "units_allowed", "gross", "fee", "outcome"
    )
    ours = sorted(tuple(map(str, row)) for row in rows)
    theirs = sorted(
        (
            row["run"], row["claim_number"], row["line"], row["units_allowed"].replace(".", "").lstrip("0") or "0",
            _minor(row["gross"]), _minor(row["fee"]), row["outcome"],
        )
        for row in expected.adjudications
    )  # fmt: skip
    assert ours == theirs
    assert Finding.objects.count() == len(expected.findings)
    assert verify_books() == []


def _minor(text: str) -> str:
    return str(int(text.replace(".", "")))


def test_reservation_turns_into_spending(tmp_path: Path) -> None:
    organisation = imported(free_visits(), tmp_path)
    reserve(Certificate.objects.get(), 20_000)
    judge(organisation)
    assert (set_aside("reservation"), set_aside("spending")) == (0, 28_500)
    assert verify_books() == []


def test_reversal_takes_everything_back(tmp_path: Path) -> None:
    organisation = imported(free_visits(), tmp_path)
    reserve(Certificate.objects.get(), 50_000)
    judge(organisation)
    assert set_aside("reservation") == 21_500
    claim = the_claim()
    reversing = reverse_claim(organisation=organisation, claim_id=claim.pk, reason="помилка", actor=SYSTEM, at=AT)
    run = judge(organisation)
    assert run is not None and run.payable_minor == -28_500
    claim.refresh_from_db()
    reversing.refresh_from_db()
    assert (claim.status, reversing.status, reversing.run) == ("reversed", "adjudicated", 2)
    assert (set_aside("reservation"), set_aside("spending")) == (50_000, 0)
    assert (balance("expense:B1-2025"), balance("payable:P1")) == (0, 0)
    assert Entry.objects.get(event="claim.reversed").label == f"settlement.claim:{reversing.pk}"
    assert Adjudication.objects.filter(reverses__isnull=False).count() == 2
    assert verify_books() == []


def test_reversed_visits_can_be_claimed_again(tmp_path: Path) -> None:
    tables = free_visits()
    tables["certificate_lines"][0]["units"] = "3"
    organisation = imported(tables, tmp_path)
    judge(organisation)
    reverse_claim(organisation=organisation, claim_id=the_claim().pk, reason="-", actor=SYSTEM, at=AT)
    judge(organisation)
    copied = the_claim()
    again = Claim.objects.create(
        organisation=organisation, number="A-9", provider=copied.provider, contract=copied.contract,
        contract_number=copied.contract_number, period=NOVEMBER, status="submitted", submitted_at=AT, recorded_at=AT,
    )  # fmt: skip
    for line in ClaimLine.objects.filter(claim=copied):
        line.pk, line.claim = None, again
        line.save()
    run = judge(organisation)
    assert run is not None and (run.number, run.payable_minor) == (3, 28_500)
    assert not Finding.objects.filter(run=run).exists()


def test_cleared_line_is_judged_again_and_paid(tmp_path: Path) -> None:
    tables = free_visits()
    tables["redemptions"][0]["units"] = "1.25"
    organisation = imported(tables, tmp_path)
    judge(organisation)
    line = ClaimLine.objects.get(line=1)
    assert set_aside("spending") == 14_250
    lift(organisation, line, at=AT)
    run = judge(organisation)
    assert run is not None and (run.number, run.lines, run.payable_minor) == (2, 1, 14_250)
    assert set_aside("spending") == 28_500
    assert judge(organisation) is None
    assert verify_books() == []


def test_what_is_owed_does_not_depend_on_the_budget_but_paying_does(tmp_path: Path) -> None:
    organisation = imported(free_visits(), tmp_path)
    BudgetLine.objects.update(amount=200)
    Provider.objects.update(iban="UA973052990000026001234567801")
    run = judge(organisation)
    assert run is not None and run.payable_minor == 28_500
    assert AuditEvent.objects.get(action="claims.adjudicated").data["overspent"] == ["B1 2025"]
    maker = User.objects.create(username="maker").as_actor()
    with pytest.raises(BudgetExceeded) as refusal:
        propose_payment_run(organisation=organisation, period=NOVEMBER, actor=maker, at=AT)
    assert refusal.value.params["needed"] == 85
    BudgetLine.objects.update(amount=285)
    assert verify_books() == []


def test_spending_is_charged_to_the_year_of_the_claim(tmp_path: Path) -> None:
    tables = free_visits()
    this_year = tables["budget_lines"][0]
    tables["budget_lines"].append({**this_year, "year": "2024"})
    tables["contracts"][0]["valid_from"] = "2024-01-01"
    organisation = imported(tables, tmp_path)
    judge(organisation)
    assert set(BudgetEntry.objects.values_list("budget_line__year", flat=True)) == {2025}


def test_what_was_learnt_later_does_not_count(tmp_path: Path) -> None:
    organisation = imported(free_visits(), tmp_path)
    Recipient.objects.update(death_date=date(2025, 11, 3), death_recorded_at=AT + timedelta(days=3))
    judge(organisation)
    assert not Finding.objects.filter(check_code="CLM-26").exists()


def test_code_registered_after_the_claim_is_known_to_the_run(tmp_path: Path) -> None:
    organisation = imported(free_visits(), tmp_path)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE settlement_claimline SET certificate_id = NULL, worker_id = NULL, redemption_id = NULL, "
            "service_id = NULL"
        )
        cursor.execute("SET session_replication_role = DEFAULT")
    run = judge(organisation)
    assert run is not None and run.payable_minor == 28_500


def test_wholly_rejected_claim_is_rejected(tmp_path: Path) -> None:
    tables = two_visits()
    tables["claims"][0]["contract_number"] = ""
    organisation = imported(tables, tmp_path)
    run = judge(organisation)
    assert run is not None and run.payable_minor == 0
    assert the_claim().status == "rejected"
    assert not Entry.objects.exists()


def test_claims_of_another_organisation_are_left_alone(tmp_path: Path, other_organisation: Organisation) -> None:
    imported(two_visits(), tmp_path)
    assert judge(other_organisation) is None
    assert the_claim().status == "submitted"


def test_claim_withdrawn_while_it_was_judged_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    organisation = imported(two_visits(), tmp_path)
    judge_lines = adjudication.judge

    def withdraw_then_judge(*args: object) -> object:
        result = judge_lines(*args)  # type: ignore[arg-type]
        Claim.objects.update(status="withdrawn")
        return result

    monkeypatch.setattr(adjudication, "judge", withdraw_then_judge)
    with pytest.raises(ClaimsChanged):
        judge(organisation)


_KILLED = """
import os, signal, sys, django
django.setup()
from datetime import date, datetime
from config.accounts.models import Organisation, User
from config.audit.actors import SYSTEM
from settlement.actions import adjudication
adjudication.post_claims = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)
at = datetime.fromisoformat(sys.argv[1])
adjudication.adjudicate_claims(
    organisation=Organisation.objects.get(code="TEST"), period=date(2025, 11, 1), as_of=at.date(), actor=SYSTEM, at=at)
"""


@pytest.mark.django_db(transaction=True)
def test_killed_run_leaves_nothing_and_is_repeated(tmp_path: Path) -> None:
    organisation = imported(example_5_2(), tmp_path)
    settings = connection.settings_dict
    url = f"postgresql:///{settings['NAME']}?host={settings['HOST']}&user={settings['USER']}"
    environment = os.environ | {"DATABASE_URL": url, "DB_ROLE": "owner", "DJANGO_SETTINGS_MODULE": "config.settings"}
    killed = subprocess.run([sys.executable, "-c", _KILLED, AT.isoformat()], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not AdjudicationRun.objects.exists() and not Adjudication.objects.exists() and not Entry.objects.exists()
    assert the_claim().status == "submitted"
    run = judge(organisation)
    assert run is not None and (run.number, run.payable_minor) == (1, 24_200)


def _reported_example() -> Tables:
    """The example with visits reported afterwards: nothing was captured at the door."""
    tables = example_5_2()
    for row in tables["redemptions"]:
        row["channel"] = "reported"
    return tables


def _units_left() -> int:
    rows = CertificateEntry.objects.aggregate(left=Sum("units_milli"))
    return int(rows["left"] or 0)


def test_allowed_reported_visits_leave_the_balance_of_the_certificate(tmp_path: Path) -> None:
    organisation = imported(_reported_example(), tmp_path)
    assert _units_left() == 16_000
    judge(organisation)
    assert _units_left() == 0
    assert CertificateEntry.objects.filter(kind="captured").count() == 1


def test_a_reversal_gives_the_units_back(tmp_path: Path) -> None:
    organisation = imported(_reported_example(), tmp_path)
    judge(organisation)
    claim = the_claim()
    reverse_claim(organisation=organisation, claim_id=claim.pk, reason="copied twice", actor=SYSTEM, at=AT)
    judge(organisation)
    assert _units_left() == 16_000
    assert verify_books() == []


def test_a_dead_certificate_gets_nothing_back(tmp_path: Path) -> None:
    organisation = imported(_reported_example(), tmp_path)
    judge(organisation)
    Certificate.objects.update(status="cancelled", changed_at=AT)
    reverse_claim(organisation=organisation, claim_id=the_claim().pk, reason="copied twice", actor=SYSTEM, at=AT)
    judge(organisation)
    assert _units_left() == 0
