"""A small month that is adjudicated, paid and answered by the bank."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.accounts.models import Organisation, User
from tests.oracle.small import add, add_visit
from tests.settlement.actions.month import AT, free_visits, imported, judge, reserve
from tests.settlement.actions.paid import answered, released_run
from tests.settlement.actions.payables import ready
from tests.settlement.gateways.orders import account
from vouchers.models import Certificate, CertificateEntry, CertificateLine, Redemption


@pytest.fixture
def books(tmp_path: Path) -> Organisation:
    """Two providers, adjudicated, paid; the bank confirms one payment and returns the other."""
    tables = free_visits()
    add(tables, "providers", **(tables["providers"][0] | {"code": "P2", "name": "Інші"}))
    for number, row in enumerate(tables["providers"], 1):
        row["iban"] = account(1000 + number)
    add(tables, "workers", code="W2", provider_code="P2", name="Петро")
    add(tables, "worker_qualifications", worker_code="W2", service_code="015.1", valid_from="2024-01-01")
    add(tables, "contracts", **(tables["contracts"][0] | {"number": "K2", "provider_code": "P2"}))
    add(tables, "contract_lines", contract_number="K2", service_code="015.1", unit_rate="95")
    add(tables, "claims", **(tables["claims"][0] | {"number": "A-2", "provider_code": "P2", "contract_number": "K2"}))
    add_visit(tables, "2025-11-05", claim_number="A-2", worker_code="W2", unit_rate="100")
    tables["redemptions"][-1]["provider_code"] = "P2"
    office = imported(tables, tmp_path)
    office.iban = account(1)
    office.save()
    reserve(Certificate.objects.get(), 60_000)
    ready(AT)
    judge(office)
    people = {name: User.objects.create(username=name) for name in ("halyna", "ivan")}
    run = released_run(office, people, AT)
    answered(run, people["halyna"], AT)
    _redeemed_online(office)
    return office


def _redeemed_online(office: Organisation) -> None:
    """An online use of half an hour on another line of the certificate, with its movements."""
    certificate = Certificate.objects.get()
    line = CertificateLine.objects.get(certificate=certificate)
    use = Redemption.objects.create(
        organisation=office, code="ON-1", channel="online", certificate=certificate, service=line.service,
        units_milli=500, authorised_milli=500, status="confirmed", recorded_at=AT,
    )  # fmt: skip
    if not CertificateEntry.objects.filter(certificate_line=line, kind="issued").exists():
        CertificateEntry.objects.create(
            certificate_line=line, kind="issued", units_milli=16_000, occurred_at=AT, recorded_at=AT
        )
    CertificateEntry.objects.create(
        certificate_line=line, kind="captured", units_milli=-500, redemption=use, occurred_at=AT, recorded_at=AT
    )
