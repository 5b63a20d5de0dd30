from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from pypdf import PdfReader

from config.accounts.models import Organisation, User
from settlement.actions.payments import write_remittance_advices
from settlement.documents import act_rows, reconciliation_act, remittance_advice
from settlement.models import Payment, PaymentRun
from tests.settlement.actions.paid import answered, released_run
from tests.settlement.actions.payables import NOVEMBER, adjudicated, ready

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]


@pytest.fixture
def run(organisation: Organisation, cast: Cast, at: datetime) -> PaymentRun:
    ready(at)
    adjudicated(organisation, at, (1, 24200), (1, 152000), (2, 500))
    return released_run(organisation, cast, at)


def text(pdf: bytes) -> str:
    found = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
    return " ".join(found.replace("\N{NO-BREAK SPACE}", " ").split())


def outloud_verdict(pdf: bytes, folder: Path) -> tuple[int, str]:
    path = folder / "letter.pdf"
    path.write_bytes(pdf)
    tool = Path(sys.executable).with_name("outloud")
    done = subprocess.run([str(tool), str(path)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_advice_lists_the_claims_and_equals_the_payment(run: PaymentRun) -> None:
    payment = run.payments.get(provider__code="P1")
    shown = text(remittance_advice(payment))
    assert payment.reference in shown and payment.iban in shown.replace(" ", "") and payment.rf_reference in shown
    assert "242,00 ₴" in shown and "1 520,00 ₴" in shown and "1 762,00 ₴" in shown


def test_letters_are_accessible(run: PaymentRun, tmp_path: Path, at: datetime) -> None:
    payment = run.payments.get(provider__code="P1")
    for pdf in (
        remittance_advice(payment),
        reconciliation_act(organisation=run.organisation, provider=payment.provider, month=NOVEMBER, made_at=at),
    ):
        code, words = outloud_verdict(pdf, tmp_path)
        assert code == 0, words


def test_the_act_shows_both_sides(run: PaymentRun, cast: Cast, at: datetime) -> None:
    answered(run, cast["halyna"], at)
    payment = run.payments.get(provider__code="P1")
    rows = act_rows(run.organisation, payment.provider, NOVEMBER)
    assert sum(row.owed for row in rows) == sum(row.paid for row in rows) == 176200
    pdf = reconciliation_act(organisation=run.organisation, provider=payment.provider, month=NOVEMBER, made_at=at)
    assert payment.reference in text(pdf)


def test_advices_are_kept_once_for_each_payment(run: PaymentRun, at: datetime) -> None:
    first = write_remittance_advices(organisation=run.organisation, run_id=run.pk, at=at)
    again = write_remittance_advices(organisation=run.organisation, run_id=run.pk, at=at)
    assert len(first) == Payment.objects.count() == 2 and again == []
    assert json.dumps(sorted(item.name for item in first)) == '["PAY-2025-00001.pdf", "PAY-2025-00002.pdf"]'
