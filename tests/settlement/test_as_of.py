"""A run as of a day sees every fact as it was known by then: its end, its change, its withdrawal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from config.interchange.settling import EarlierMonthOpen, settle_month
from contracts.actions.agreements import AgreedLine
from contracts.actions.amendments import amend_contract_line, terminate_contract
from contracts.actions.register import end_suspension
from contracts.models import Contract, NormCost, Parameter, Provider, Service, WorkerQualification
from settlement.models import ClaimLine, Finding
from settlement.rules.parameters import WINDOW_DAYS
from tests.conftest import AT
from tests.oracle.small import Tables, add
from tests.settlement.actions.lifting import lift
from tests.settlement.actions.month import NOVEMBER, free_visits, imported, judge
from vouchers.actions.certificate_life import cancel_certificate, replace_certificate, resume_certificate
from vouchers.actions.plans import close_plan
from vouchers.actions.recipients import move_residence, record_death
from vouchers.models import Absence, Certificate, FeeAssessment, IndividualPlan, PlanLine, Recipient, Redemption

pytestmark = pytest.mark.django_db

LEARNT = AT + timedelta(days=3)
BEFORE, AFTER = LEARNT.date() - timedelta(days=1), LEARNT.date()
THIRD, FOURTH = date(2025, 11, 3), date(2025, 11, 4)
Codes = set[tuple[int, str]]
WHO: dict[str, Any] = {"actor": SYSTEM, "at": LEARNT}


@dataclass(frozen=True)
class Case:
    """Visits on 3 (line 1) and 4 November (line 2); what is learnt later, and the findings without and with it."""

    learn: Callable[[Organisation], object]
    before: Codes
    after: Codes
    given: Callable[[Tables], object] = lambda tables: None


def _resume(office: Organisation, day: date) -> None:
    resume_certificate(certificate=Certificate.objects.get(), from_date=day, **WHO)


def _amend(office: Organisation) -> None:
    line = AgreedLine(Service.objects.get(), Decimal(90))
    amend_contract_line(contract=Contract.objects.get(), line=line, valid_from=FOURTH, basis="-", **WHO)


def _move(office: Organisation) -> None:
    move_residence(
        recipient=Recipient.objects.get(), territory=None, moved_on=date(2025, 10, 20), recipient_class="B", **WHO
    )


def _shorten_window(office: Organisation) -> None:
    row = Parameter.objects.get(organisation=office, key=WINDOW_DAYS)
    row.change(at=LEARNT, value="1")


def _rest(tables: Tables) -> None:
    add(tables, "certificate_suspensions", certificate_number="C1", from_date="2025-11-03")


CASES: dict[str, Case] = {
    "plan closed": Case(
        lambda office: close_plan(plan=IndividualPlan.objects.get(), last_day=THIRD, **WHO), set(), {(2, "CLM-09")}
    ),
    "plan closed before it began": Case(
        lambda office: close_plan(plan=IndividualPlan.objects.get(), last_day=date(2024, 12, 31), **WHO),
        set(),
        {(1, "CLM-09"), (2, "CLM-09")},
    ),
    "certificate resumed": Case(
        lambda office: _resume(office, FOURTH), {(1, "CLM-10"), (2, "CLM-10")}, {(1, "CLM-10")}, _rest
    ),
    "rest taken back": Case(lambda office: _resume(office, THIRD), {(1, "CLM-10"), (2, "CLM-10")}, set(), _rest),
    "certificate cancelled": Case(
        lambda office: cancel_certificate(certificate=Certificate.objects.get(), status_from=FOURTH, reason="-", **WHO),
        set(),
        {(2, "CLM-10")},
    ),
    "provider serves again": Case(
        lambda office: end_suspension(
            organisation=office, provider=Provider.objects.get(), to_date=FOURTH, actor=SYSTEM, at=LEARNT
        ),
        {(1, "CLM-03"), (2, "CLM-03")},
        {(1, "CLM-03")},
        lambda tables: add(tables, "provider_suspensions", provider_code="P1", from_date="2025-11-01"),
    ),
    "provider leaves the register": Case(
        lambda office: Provider.objects.get().change(at=LEARNT, active_to=FOURTH), set(), {(2, "CLM-03")}
    ),
    "norm cost ended": Case(
        lambda office: NormCost.objects.get().change(at=LEARNT, valid_to=FOURTH), set(), {(2, "CLM-17")}
    ),
    "norm cost withdrawn": Case(
        lambda office: NormCost.objects.get().move_to("withdrawn", at=LEARNT), set(), {(1, "CLM-17"), (2, "CLM-17")}
    ),
    "contract terminated": Case(
        lambda office: terminate_contract(contract=Contract.objects.get(), valid_to=FOURTH, reason="-", **WHO),
        set(),
        {(1, "CLM-04"), (2, "CLM-04"), (2, "CLM-05")},
    ),
    "contract amended": Case(_amend, set(), {(2, "CLM-16")}),
    "qualification ended": Case(
        lambda office: WorkerQualification.objects.get().change(at=LEARNT, valid_to=FOURTH), set(), {(2, "CLM-25")}
    ),
    "stay ended": Case(
        lambda office: Absence.objects.get().change(at=LEARNT, to_date=FOURTH),
        {(1, "CLM-27"), (2, "CLM-27")},
        set(),
        lambda tables: add(tables, "absences", recipient_code="R1", kind="hospital", from_date="2025-11-02"),
    ),
    "fee decision ended": Case(
        lambda office: FeeAssessment.objects.get().change(at=LEARNT, valid_to=date(2025, 11, 1)),
        set(),
        {(1, "CLM-08"), (2, "CLM-08")},
    ),
    "moved to another class": Case(
        _move,
        set(),
        {(1, "CLM-17"), (2, "CLM-17")},
        lambda tables: add(tables, "norm_costs", service_code="015.1", recipient_class="B", valid_from="2025-01-01",
                           unit_rate="50"),
    ),
    "death": Case(
        lambda office: record_death(recipient=Recipient.objects.get(), death_date=date(2025, 11, 2), **WHO),
        set(),
        {(1, "CLM-10"), (2, "CLM-10"), (1, "CLM-26"), (2, "CLM-26")},
    ),
    "visit reversed": Case(
        lambda office: Redemption.objects.get(code="V2").move_to("reversed", at=LEARNT), set(), {(2, "CLM-11")}
    ),
    "figure of law changed": Case(
        _shorten_window,
        set(),
        {(1, "CLM-32"), (2, "CLM-32")},
        lambda tables: add(tables, "parameters", jurisdiction="UA", key=WINDOW_DAYS, valid_from="2025-01-01",
                           value="60"),
    ),
}  # fmt: skip


@contextmanager
def taken_back() -> Iterator[None]:
    """What happens inside is undone, so that the same month can be judged again."""
    savepoint = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(savepoint)


def findings(office: Organisation, as_of: date) -> Codes:
    """What a run as of a day finds; the run is taken back."""
    with taken_back():
        assert judge(office, at=LEARNT + timedelta(days=9), as_of=as_of) is not None
        return set(Finding.objects.values_list("claim_line__line", "check_code"))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_run_sees_what_was_known_by_its_day(case: Case, tmp_path: Path) -> None:
    tables = free_visits()
    case.given(tables)
    office = imported(tables, tmp_path)
    assert findings(office, AFTER) == case.before
    case.learn(office)
    assert findings(office, BEFORE) == case.before
    assert findings(office, AFTER) == case.after


def test_a_replaced_certificate_ends_on_the_day_it_was_lost(tmp_path: Path) -> None:
    office = imported(free_visits(), tmp_path)
    replace_certificate(certificate=Certificate.objects.get(), reason="-", **WHO)
    old = Certificate.objects.get(number="C1")
    assert (old.status, old.status_from, old.changed_at) == ("replaced", LEARNT.date(), LEARNT)
    assert findings(office, BEFORE) == findings(office, AFTER) == set()


def test_a_plan_line_that_starts_after_the_end_never_holds(tmp_path: Path) -> None:
    tables = free_visits()
    tables["plan_lines"][0]["valid_to"] = "2025-11-03"
    add(tables, "plan_lines", recipient_code="R1", service_code="015.1", valid_from="2025-11-04", units_per_month="10")
    office = imported(tables, tmp_path)
    close_plan(plan=IndividualPlan.objects.get(), last_day=date(2025, 11, 3), **WHO)
    assert [line.valid_to for line in PlanLine.objects.all()] == [FOURTH]
    assert (findings(office, BEFORE), findings(office, AFTER)) == (set(), {(2, "CLM-09")})


def test_what_an_earlier_run_used_counts_against_the_changed_line(tmp_path: Path) -> None:
    """19.5 h a month: 18 are used; the plan is then cut to 19 h, so 1 h of the next 1.5 is left."""
    tables = free_visits()
    tables["redemptions"][0]["units"] = "18"
    long_visit = {"claim_number": "A-0", "units": "18", "amount": "1710.00", "starts_at": "", "ends_at": ""}
    tables["claim_lines"][0] |= long_visit
    tables["certificate_lines"][0]["units"] = "100"
    add(tables, "claims", **(tables["claims"][0] | {"number": "A-0", "run": "1"}))
    office = imported(tables, tmp_path)
    judge(office)
    PlanLine.objects.get().change(at=LEARNT, units_per_month=Decimal(19))
    found = Finding.objects.filter(claim_line__claim__number="A-1", check_code="CLM-13")
    for as_of, cut in ((BEFORE, []), (AFTER, [500])):
        with taken_back():
            judge(office, at=LEARNT, as_of=as_of)
            assert list(found.values_list("units", flat=True)) == cut


def test_only_claims_submitted_by_the_day_are_judged(tmp_path: Path) -> None:
    office = imported(free_visits(), tmp_path)  # submitted on 3 December at 10:00
    assert judge(office, as_of=date(2025, 12, 2)) is None
    run = judge(office, as_of=date(2025, 12, 3))
    assert run is not None and run.lines == 2


def test_a_day_ends_at_midnight_where_the_office_is(tmp_path: Path) -> None:
    tables = free_visits()
    tables["claims"][0]["submitted_at"] = "2025-12-03T22:00:00+00:00"  # the first moment of 4 December in Kyiv
    office = imported(tables, tmp_path)
    assert judge(office, as_of=date(2025, 12, 3)) is None
    assert judge(office, as_of=date(2025, 12, 4)) is not None


def test_an_earlier_month_waits_only_for_claims_of_the_day(tmp_path: Path) -> None:
    tables = free_visits()
    late = {"number": "A-0", "period": "2025-10", "submitted_at": "2025-12-20T10:00:00+02:00"}
    add(tables, "claims", **(tables["claims"][0] | late))
    office = imported(tables, tmp_path)
    common: dict[str, Any] = {"organisation": office, "period": NOVEMBER, "actor": SYSTEM, "at": LEARNT}
    with pytest.raises(EarlierMonthOpen):
        settle_month(as_of=date(2025, 12, 20), **common)
    assert [run.lines for run in settle_month(as_of=date(2025, 12, 19), **common)] == [2]


def test_a_clearance_counts_from_its_day(tmp_path: Path) -> None:
    tables = free_visits()
    tables["redemptions"][0]["status"] = "voided"
    office = imported(tables, tmp_path)
    judge(office)
    line = ClaimLine.objects.get(line=1)
    lift(office, line, at=LEARNT)
    assert judge(office, at=LEARNT, as_of=BEFORE) is None
    run = judge(office, at=LEARNT, as_of=AFTER)
    assert run is not None and run.lines == 1
