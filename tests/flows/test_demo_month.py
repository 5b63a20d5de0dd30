"""One month of one municipality, played once through the actions, then looked at from every side."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal as D
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.db.models import Count, Min, Sum
from django.utils import translation
from lxml import etree

from config.audit.models import AuditEvent
from config.audit.verification import verify_chains
from config.demo import application_2005
from config.demo.chapters.claims import SEPTEMBER
from config.demo.chapters.newcomer import CODE as NEWCOMER
from config.demo.chapters.pilot import MONTH, TOO_LATE
from config.demo.chapters.visits import FIRST
from config.demo.load import play
from config.demo.stage import Stage
from config.money import percent_shares
from config.office.models import Attachment
from config.office.storage import open_attachment
from contracts.models import Contract, NormCost, Parameter, TariffSetItem
from procurement.models import Bid
from settlement.books import verify_books
from settlement.claim_letter import explain
from settlement.finance_queries import payment_file
from settlement.models import (
    Adjudication,
    AdjudicationRun,
    Claim,
    ClaimLine,
    Clearance,
    ClosedMonth,
    CorrectionLine,
    Finding,
    FindingFeedback,
    HintFeedback,
    KeptPend,
    Payment,
    PaymentHold,
    PaymentRun,
    Posting,
    Remittance,
    Statement,
    StatementLine,
    VerificationVisit,
)
from tests.config.interchange.processes import environment
from tests.flows.processes import manage
from tests.trail import trail_for
from vouchers.models import Certificate, FeeAssessment, Recipient, Redemption

# Each test in a transaction of its own over what the flows played; the runner makes a database for marked tests only.
pytestmark = pytest.mark.django_db

# Every check but those of a column (35), of a person (45) and of a remittance (46).
CHECKS = {f"CLM-{number:02d}" for number in range(1, 51)} - {"CLM-35", "CLM-45", "CLM-46"}
# They ask a question and take nothing.
QUESTIONS = {"CLM-23", "CLM-33", "CLM-36", "CLM-41", "CLM-42"}


def _steps(assessment: FeeAssessment) -> dict[str, str]:
    return {row["code"]: row["value"] for row in assessment.steps}


def test_norm_costs_are_computed_and_approved_by_a_second_person(played: Stage) -> None:
    norm = NormCost.objects.get(
        organisation=played.organisation,
        service__code="015.1",
        territory=None,
        status="approved",
        valid_from="2025-01-01",
    )
    assert norm.unit_rate == D("96.54")
    assert {norm.author.username, norm.approver.username} == {"bohdan", "oksana"}
    assert norm.steps
    assert norm.inputs["parameters"]["admin_cap_pct"]["unverified"] is True


def test_published_tariffs_are_reproduced(played: Stage) -> None:
    items = list(TariffSetItem.objects.all())
    assert len(items) == 12
    assert [item.published for item in items] == [item.computed for item in items]


def test_unverified_parameters_are_flagged(played: Stage) -> None:
    assert Parameter.objects.get(jurisdiction="UA", key="esv_rate", valid_to=None).unverified
    assert not Parameter.objects.get(jurisdiction="UA", key="sm.lost_ability", valid_from="2025-01-01").unverified


@pytest.mark.parametrize(
    ("provider", "total", "rejected"),
    [("TURBOTA", "91.71", ""), ("TERCENTR", "85.50", ""), ("ZATYSHOK", None, "PRC-REJ-6")],
)
def test_the_competition_of_the_rule_book(played: Stage, provider: str, total: str | None, rejected: str) -> None:
    bid = Bid.objects.get(tender__plan_item__way="social_order", provider__code=provider)
    assert bid.rejection_code == rejected
    assert (bid.result.total if total else getattr(bid, "result", None)) == (D(total) if total else None)


def test_the_winner_has_a_contract_at_its_own_price(played: Stage) -> None:
    contract = Contract.objects.get(basis="award")
    assert (contract.provider.code, contract.status) == ("TURBOTA", "active")
    assert contract.lines.get().unit_rate == D("85.00")


def test_the_application_of_2005_is_refused_with_its_findings(played: Stage) -> None:
    bid = Bid.objects.get(tender__kind="project_contest", corrects=None)
    codes = [row.code for row in bid.findings.order_by("position")]
    texts = [row.text for row in bid.findings.order_by("position")]
    assert bid.status == "draft"
    assert "BUDGET_ITEMS_NE_TOTAL declared=3168.00 items=3138.00 diff=30.00" in texts
    assert codes.count("ATTACHMENT_MISSING") == 6
    assert {"SOURCES_NE_ITEMS", "EARMARK_DIFF", "PLAN_ORDER", "LIST_GAP"} <= set(codes)
    assert {"SHARE_ROUNDED", "SOURCE_CONDITIONAL", "PARTNERS_DIFF"} <= set(codes)
    assert {"ITEM_COUNT", "PAGES_DIFF", "KPI_NE_PLAN", "GRANT_ABOVE_CAP"}.isdisjoint(codes)
    assert trail_for(bid).filter(action="application.refused").count() == 1
    assert "BUDGET_ITEMS_NE_TOTAL" in played.notes["application"]


def test_shares_and_money_of_the_application(played: Stage) -> None:
    bid = Bid.objects.get(tender__kind="project_contest", corrects=None)
    amounts = {row.kind: row.amount.amount for row in bid.sources.all()}
    order = ("grant", "partner", "own", "attracted")
    assert percent_shares([amounts[kind] for kind in order]) == [D("41.03"), D("3.16"), D("8.46"), D("47.35")]
    assert sum(amounts.values()) == D("3168000.00")
    assert bid.grant_requested.amount == application_2005.GRANT_REQUESTED * application_2005.UNIT_MULTIPLIER


def test_the_corrected_copy_becomes_a_grant_agreement(played: Stage) -> None:
    copy = Bid.objects.exclude(corrects=None).get()
    assert sum(item.amount.amount for item in copy.items.all()) == D("3168000.00")
    contract = copy.award.contract
    assert (contract.basis, contract.ceiling.amount, contract.milestones.count()) == ("grant", D("1300000.00"), 3)


def test_recipients_live_in_town_and_villages(played: Stage) -> None:
    kinds = dict(Recipient.objects.values_list("residences__territory__kind").annotate(n=Count("id", distinct=True)))
    assert sum(kinds.values()) >= 300
    assert min(kinds["urban"], kinds["rural"]) > 50


@pytest.mark.parametrize(
    ("code", "mode", "limit", "fee", "budget"),
    [
        ("EX-UA-01", "F", None, "0.00", "1700.00"),
        ("EX-UA-02", "D", "0.01", "0.01", "1699.99"),
        ("EX-UA-03", "D", "1278.00", "1278.00", "422.00"),
        ("EX-UA-04", "D", "4722.00", "1700.00", "0.00"),
        ("EX-UA-05", "C", None, "1700.00", "0.00"),
        ("EX-UA-07", "C", None, "6000.00", "0.00"),
        ("EX-UA-08", "F", None, "0.00", "1700.00"),
        ("EX-UA-09", "F", None, "0.00", "1700.00"),
        ("EX-UA-10", "F", None, "0.00", "120.00"),
        ("EX-UA-11", "D", "1444.00", "1444.00", "256.00"),
        ("EX-UA-12", "D", "1278.00", "1618.00", "422.00"),
    ],
)
def test_the_examples_of_the_rule_book_are_persons(
    played: Stage, code: str, mode: str, limit: str | None, fee: str, budget: str
) -> None:
    assessment = FeeAssessment.objects.get(recipient__code=code, valid_from=FIRST)
    steps = _steps(assessment)
    assert (assessment.mode, assessment.monthly_limit) == (mode, D(limit) if limit else None)
    assert (steps["fee"], steps["budget"]) == (fee, budget)


def test_a_category_asks_for_no_income_unless_a_member_has_none(played: Stage) -> None:
    single, family = (FeeAssessment.objects.get(recipient__code=code) for code in ("EX-UA-09", "EX-UA-11"))
    assert single.inputs["members"][0]["incomes"][0]["amount"] == "45000.00"  # 15 000.00 in each of three months
    assert (single.income_member, family.income_member) == (None, D("7500.00"))
    grounds = [
        [row["formula"] for row in decision.steps if row["code"] == "payment_mode"] for decision in (single, family)
    ]
    assert grounds == [["PAY-UA-2"], ["PAY-UA-5"]]


@pytest.mark.parametrize(
    ("code", "limit", "fee", "budget"),
    [
        ("EX-UA-03", "810.00", "810.00", "890.00"),  # EX-UA-6
        ("EX-UA-07", "4754.89", "4754.89", "1245.11"),
    ],
)
def test_the_same_person_pays_less_in_the_next_year(
    played: Stage, code: str, limit: str, fee: str, budget: str
) -> None:
    assessment = FeeAssessment.objects.get(recipient__code=code, valid_from="2026-01-01")
    steps = _steps(assessment)
    assert (assessment.mode, assessment.monthly_limit, steps["fee"], steps["budget"]) == ("D", D(limit), fee, budget)


def test_a_missing_statement_blocks_the_decision(played: Stage) -> None:
    assert not FeeAssessment.objects.filter(recipient__code="EX-UA-13").exists()
    assert played.notes["EX-UA-13"]


def test_a_month_of_visits_of_four_sectors(played: Stage) -> None:
    visits = Redemption.objects.filter(starts_at__gte="2025-11-01T00:00+02:00", starts_at__lt="2025-12-01T00:00+02:00")
    assert visits.count() >= 5000
    assert visits.values("provider__sector").distinct().count() == 4
    assert set(visits.values_list("channel", flat=True)) == {"online", "reported"}


def test_certificates_stand_on_reservations(played: Stage) -> None:
    assert Certificate.objects.filter(organisation=played.organisation).count() >= 300
    assert Certificate.objects.aggregate(low=Min("reserved_minor"))["low"] >= 0


def test_all_checks_appear(played: Stage) -> None:
    assert set(Finding.objects.values_list("check_code", flat=True)) == CHECKS
    assert set(Finding.objects.filter(severity="W").values_list("check_code", flat=True)) == QUESTIONS
    assert set(Finding.objects.filter(check_code__in=QUESTIONS).values_list("severity", "amount")) == {("W", 0)}
    fees = Adjudication.objects.filter(reverses=None, fee__gt=0)  # CLM-35
    assert fees.filter(run__period=FIRST).exists()
    assert Remittance.objects.filter(offsets__gt=0).exists()  # CLM-46


def test_a_relative_of_the_director_verifies_nothing(played: Stage) -> None:
    """CLM-45."""
    drawn = VerificationVisit.objects.filter(claim_line__claim__provider__code=NEWCOMER)
    assert "Світанок" in played.notes["relative"]
    assert set(drawn.values_list("result", flat=True)) == {None}


def test_pends_were_lifted_by_two_people_and_upheld_by_one(played: Stage) -> None:
    lifted = Clearance.objects.get(check_code="CLM-34")
    assert (lifted.proposal.proposed_by.username, lifted.confirmed_by.username) == ("halyna", "ivan")
    outcomes = Adjudication.objects.filter(claim_line=lifted.claim_line).order_by("pk")
    assert list(outcomes.values_list("outcome", flat=True)) == ["pended", "accepted"]
    kept = KeptPend.objects.filter(claim_line__claim__provider__code=NEWCOMER).order_by("check_code")
    assert [(row.check_code, row.proposal is not None) for row in kept] == [("CLM-43", True), ("CLM-49", False)]


def test_people_saw_nothing_in_some_findings(played: Stage) -> None:
    said = FindingFeedback.objects.values_list("finding__check_code", "given_by__username").order_by(
        "finding__check_code"
    )
    assert list(said) == [("CLM-23", "halyna"), ("CLM-42", "halyna")]
    assert HintFeedback.objects.count() == 1


def test_a_new_account_holds_the_money_of_its_provider(played: Stage) -> None:
    hold = PaymentHold.objects.get(provider__code=NEWCOMER)
    assert hold.lifted_at is None and Remittance.objects.filter(provider__code=NEWCOMER, payable__gt=0).exists()
    assert not Payment.objects.filter(provider__code=NEWCOMER).exists()


@pytest.mark.parametrize("language", ["uk", "ru", "en"])
def test_every_line_with_a_finding_is_explained_in_words(played: Stage, language: str) -> None:
    with translation.override(language):
        for claim in Claim.objects.filter(organisation=played.organisation):
            lines = list(ClaimLine.objects.filter(claim=claim, findings__isnull=False).distinct()[:400])
            for explained in explain(claim, lines):
                for _run, _outcome, rows in explained.runs:
                    taken = sum(row.amount for row in rows if row.kind in {"claimed", "finding"})
                    assert taken == next(row.amount for row in rows if row.kind == "gross")
                    assert all(row.sentence for row in rows if row.kind == "finding")


def test_the_worked_example_to_the_kopiyka(played: Stage) -> None:
    claim = Claim.objects.get(provider__code="OPORA", period=FIRST)
    remittance = Remittance.objects.get(claim=claim)
    assert (remittance.amount_claimed, remittance.gross, remittance.fee, remittance.payable) == (
        205800,
        152000,
        127800,
        24200,
    )
    taken = dict(
        Finding.objects.filter(claim_line__claim=claim).values_list("check_code").annotate(total=Sum("amount"))
    )
    assert {code: total for code, total in taken.items() if total} == {
        "CLM-16": 6300,
        "CLM-27": 14250,
        "CLM-20": 14250,
        "CLM-12": 19000,
    }


def test_late_claims_are_rejected_whole(played: Stage) -> None:
    september = Claim.objects.get(period=SEPTEMBER, submitted_at__date__gte=FIRST)
    december = Claim.objects.get(period=MONTH, submitted_at=TOO_LATE)
    for late in (september, december):
        assert set(Adjudication.objects.filter(claim=late).values_list("outcome", flat=True)) == {"rejected"}
        assert Finding.objects.filter(claim_line__claim=late, check_code="CLM-32").exists()


def test_two_people_paid_and_the_bank_answered(played: Stage) -> None:
    run = PaymentRun.objects.filter(organisation=played.organisation, period=FIRST).earliest("proposed_at")
    assert run.proposed_by.username == "halyna"
    assert [row.approved_by.username for row in run.approvals.all()] == ["ivan"]
    assert sorted(Payment.objects.filter(payment_run=run).values_list("status", flat=True)) == [
        "confirmed",
        "confirmed",
        "confirmed",
        "returned",
    ]
    # Of the day of payment and of the other bank; beside them what people paid, early and in the middle of December.
    statements = Statement.objects.filter(organisation=played.organisation, to_date__gte=date(2025, 12, 1))
    formats = statements.order_by("imported_at").values_list("format", flat=True)
    assert list(formats) == ["camt.053.001.08", "camt.053.001.08", "camt.053.001.02", "camt.053.001.08"]
    # Two of the other bank, two that were told too briefly.
    assert StatementLine.objects.filter(status="unmatched").count() == 4


@pytest.mark.skipif(not os.environ.get("STANDARDS_DIR"), reason="STANDARDS_DIR names no folder with the XSDs")
def test_the_bank_file_is_valid(played: Stage) -> None:
    stored = payment_file(
        PaymentRun.objects.filter(organisation=played.organisation, period=FIRST).earliest("proposed_at")
    )
    schema = etree.XMLSchema(file=str(Path(os.environ["STANDARDS_DIR"]) / "iso20022" / "pain.001.001.09.xsd"))
    with open_attachment(stored) as file:
        schema.assertValid(etree.parse(file))


def test_every_payment_has_its_advice(played: Stage) -> None:
    kinds = Attachment.objects.filter(kind="remittance_advice").values_list("content_type", flat=True)
    assert list(kinds) == ["application/pdf"] * 4


def test_the_month_is_closed_and_the_books_and_the_trail_hold(played: Stage) -> None:
    assert ClosedMonth.objects.filter(organisation=played.organisation).latest("month").month == FIRST
    assert verify_books() == []
    events, faults = verify_chains()
    assert faults == []
    assert events > 3000
    assert Posting.objects.aggregate(d=Sum("debit") - Sum("credit"))["d"] == 0


def test_playing_again_changes_nothing(played: Stage) -> None:
    tables = (AuditEvent, Redemption, Adjudication, Posting)
    before = [table.objects.count() for table in tables]
    play(lambda percent, sentence: None)
    assert before == [table.objects.count() for table in tables]


def test_exported_imported_into_an_empty_database_and_settled_it_is_the_same(played: Stage, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    here = environment()
    assert manage(here, "export_package", first) == 0
    with _empty_database(here) as there:
        assert manage(there, "import_package", first) == 0
        # As of the days on which the demo settled them: a package can be settled as of any day.
        for period, day in _settled():
            assert manage(there, "settle", "--period", f"{period:%Y-%m}", "--as-of", str(day)) == 0
        assert manage(there, "export_package", second) == 0
    # Payments are not part of the input; everything else must come out as it went in. What was learnt after October was
    # closed is known from the beginning in a package: the claim that it corrects is left out.
    late = set(CorrectionLine.objects.values_list("claim_line__claim__number", flat=True))
    tables = {path.name for path in first.glob("*.csv")} - {"payments.csv", "postings.csv"}
    assert [name for name in sorted(tables) if _rows(first / name, late) != _rows(second / name, late)] == []
    with (first / "adjudications.csv").open() as file:
        assert sum(1 for _ in csv.reader(file)) > 5000


def _rows(table: Path, without: set[str]) -> list[dict[str, str]]:
    """Rows of a table but those of some claims."""
    with table.open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row.get("claim_number") not in without]


def _settled() -> list[tuple[date, date]]:
    """Months and the days on which they were judged, in the order of the runs."""
    return list(dict.fromkeys(AdjudicationRun.objects.order_by("pk").values_list("period", "as_of")))


@contextmanager
def _empty_database(here: dict[str, str]) -> Iterator[dict[str, str]]:
    """A migrated database with the national reference data, beside the one of the tests."""
    name = connection.settings_dict["NAME"] + "_copy"
    there = here | {"DATABASE_URL": here["DATABASE_URL"].replace(f"/{connection.settings_dict['NAME']}?", f"/{name}?")}
    admin = psycopg.connect(**connection.get_connection_params() | {"dbname": "postgres"}, autocommit=True)
    admin.execute(f'DROP DATABASE IF EXISTS "{name}"')  # type: ignore[arg-type]
    admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')  # type: ignore[arg-type]
    try:
        for command in ("migrate", "load_reference"):
            assert manage(there | {"DB_ROLE": "owner"}, command) == 0
        yield there
    finally:
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[arg-type]
        admin.close()
