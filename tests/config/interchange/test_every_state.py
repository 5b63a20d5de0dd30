"""A municipality with a row of every state goes into a package, and the package comes in whole."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import pytest
from django.core.management import call_command

from config.accounts.models import Organisation
from config.states import StateTable
from contracts.models import Contract, Service
from contracts.models.agreements import CONTRACT_STATES
from settlement.models import Claim, ClaimLine
from settlement.models.claims import CLAIM_STATES
from tests.config.interchange.packages import dump, load
from tests.conftest import AT
from tests.settlement.actions.month import NOVEMBER, free_visits, imported
from vouchers.models import Certificate, CertificateLine, IndividualPlan, PlanLine, Recipient, Redemption
from vouchers.models.certificates import CERTIFICATE_STATES, REDEMPTION_STATES
from vouchers.models.plans import PLAN_STATES

pytestmark = pytest.mark.django_db(transaction=True)


def ways(states: StateTable) -> list[tuple[str, ...]]:
    """For every state and every way that leads to it from a first one, once round at most."""
    found: list[tuple[str, ...]] = []
    waiting: list[tuple[str, ...]] = [(first,) for first in sorted(states.initial)]
    while waiting:
        way = waiting.pop()
        found.append(way)
        waiting += [(*way, to) for to in sorted(states.moves.get(way[-1], ())) if to not in way]
    return found


def claims_of_every_state(office: Organisation) -> None:
    """With and without having been handed in; what a run judged comes from runs, and has their tests."""
    first = Claim.objects.get(number="A-1")
    for number, way in enumerate(ways(CLAIM_STATES)):
        if "adjudicated" in way or "disputed" in way or "reversed" in way:
            continue
        claim = Claim.objects.create(
            organisation=office, number=f"Z-{number}", provider=first.provider, contract=first.contract,
            contract_number="K1", period=NOVEMBER, status=way[0], status_at=AT, recorded_at=AT,
            submitted_at=None if way[0] in ("draft", "withdrawn") else AT,
        )  # fmt: skip
        ClaimLine.objects.create(
            claim=claim, line=1, service_code="015.1", service_date=date(2025, 11, 5), units_milli=1000,
            unit_rate_e4=950000, amount_e4=950000,
        )  # fmt: skip
        for status in way[1:]:
            if status == "submitted":
                claim.submitted_at = AT
                claim.save(update_fields=["submitted_at"])
            claim.move_to(status, at=AT)


def others_of_every_state(office: Organisation) -> None:
    olena, service = Recipient.objects.get(code="R1"), Service.objects.get(code="015.1")
    model = Contract.objects.get(number="K1")
    for number, way in enumerate(ways(CONTRACT_STATES)):
        contract = Contract.objects.create(
            organisation=office, number=f"K-{number}", provider=model.provider, budget_line=model.budget_line,
            basis="register", valid_from=date(2025, 1, 1), status=way[0], status_at=AT,
        )  # fmt: skip
        for status in way[1:]:
            contract.move_to(status, at=AT)
    for number, way in enumerate(ways(PLAN_STATES)):
        # The lines of one service do not overlap, whatever plan they are of.
        plan = IndividualPlan.objects.create(
            recipient=olena, number=f"IP-{number}", status=way[0], status_at=AT, recorded_at=AT
        )
        PlanLine.objects.create(
            recipient=olena, plan=plan, service=service, units_per_month=1, recorded_at=AT,
            valid_from=date(2020 - number, 1, 1), valid_to=date(2020 - number, 2, 1),
        )  # fmt: skip
        for status in way[1:]:
            plan.move_to(status, at=AT)
    for number, way in enumerate(ways(CERTIFICATE_STATES)):
        certificate = Certificate.objects.create(
            organisation=office, number=f"C-{number}", recipient=olena, valid_from=date(2025, 1, 1),
            valid_to=date(2026, 1, 1), status=way[0], status_at=AT,
        )  # fmt: skip
        CertificateLine.objects.create(certificate=certificate, service=service, units=1)
        for status in way[1:]:
            certificate.move_to(status, at=AT)
    for number, way in enumerate(ways(REDEMPTION_STATES)):
        visit = Redemption.objects.create(
            organisation=office, code=f"V-{number}", channel="online", certificate_number="C1", starts_at=AT,
            units_milli=(0, None, 1000)[number % 3], status=way[0], status_at=AT, recorded_at=AT,
        )  # fmt: skip
        for status in way[1:]:
            visit.move_to(status, at=AT)


def test_a_package_of_every_state_is_taken_in_whole(tmp_path: Path) -> None:
    office = imported(free_visits(), tmp_path / "given")
    claims_of_every_state(office)
    others_of_every_state(office)
    handed_in = set(Claim.objects.exclude(submitted_at=None).values_list("number", flat=True))
    given_up = set(Claim.objects.filter(submitted_at=None, status="withdrawn").values_list("number", flat=True))
    approved = PlanLine.objects.exclude(plan__status__in=("draft", "cancelled")).count()
    assert given_up and approved < PlanLine.objects.count()
    files = dump(tmp_path / "made")
    call_command("flush", verbosity=0, interactive=False)
    report = load(tmp_path / "made")
    assert report.imported, report.refusals
    assert {row["number"] for row in csv.DictReader(io.StringIO(files["claims.csv"].decode()))} == handed_in
    assert set(Claim.objects.values_list("number", flat=True)) == handed_in
    assert PlanLine.objects.count() == approved
    # What came in goes out again as it was.
    assert all(content == files[name] for name, content in dump(tmp_path / "again").items() if name.endswith(".csv"))
