"""A restored term travels: the package says the time that counts, and whoever recalculates it gets the same."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from pathlib import Path

import pytest
from django.core.management import call_command

from config.accounts.models import Organisation, User
from config.audit.actors import SYSTEM
from config.interchange.settling import settle_month
from settlement.actions.restored_terms import confirm_term, propose_term
from settlement.models import Claim
from tests.config.interchange.packages import dump, load, load_tables
from tests.config.interchange.test_differential import RESULTS, expected, exported
from tests.conftest import KYIV
from tests.oracle.small import Tables
from tests.settlement.actions.month import NOVEMBER, free_visits

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 2, 12, 10, tzinfo=KYIV)
IN_TIME, LATE = "2026-01-29T23:59:59+02:00", "2026-02-10T09:30:00+02:00"


def late_month() -> Tables:
    tables = free_visits()
    tables["claims"][0]["submitted_at"] = LATE
    return tables


def restore() -> None:
    office, claim = Organisation.objects.get(), Claim.objects.get()
    first, second = (User.objects.create(username=name, display_name=name) for name in ("one", "two"))
    term = propose_term(
        organisation=office, claim_id=claim.pk, reason="Пожежа", actor=first.as_actor(), at=AT,
    )  # fmt: skip
    confirm_term(organisation=office, term_id=term.pk, actor=second.as_actor(), at=AT)


def settle(as_of: date = AT.date()) -> None:
    settle_month(organisation=Organisation.objects.get(), period=NOVEMBER, as_of=as_of, actor=SYSTEM, at=AT)


def said(files: dict[str, bytes]) -> tuple[str, str]:
    """When the claim was submitted and what is paid, as the package says."""
    (claim,), (row,) = (
        list(csv.DictReader(io.StringIO(files[f"{name}.csv"].decode()))) for name in ("claims", "remittances")
    )
    return claim["submitted_at"], row["payable"]


@pytest.mark.parametrize(
    ("restored", "as_of", "says"),
    [
        (True, date(2026, 2, 12), (IN_TIME, "285.00")),
        (False, date(2026, 2, 12), (LATE, "0.00")),
        # Judged by what was known before the decision: late, and the package says so.
        (True, date(2026, 2, 11), (LATE, "0.00")),
    ],
)
def test_a_package_recalculates_to_what_was_paid(
    tmp_path: Path, restored: bool, as_of: date, says: tuple[str, str]
) -> None:
    assert load_tables(late_month(), tmp_path / "given").imported
    if restored:
        restore()
    settle(as_of)
    files = dump(tmp_path / "out", at=AT)
    assert said(files) == says
    assert {name: exported(files, name) for name in RESULTS} == expected(tmp_path / "out")


def test_it_comes_in_again_and_goes_out_the_same(tmp_path: Path) -> None:
    assert load_tables(late_month(), tmp_path / "given").imported
    restore()
    settle()
    one = dump(tmp_path / "one", at=AT)
    # Where it came from nothing differs: the time that counts is the time that the package says.
    again = load(tmp_path / "one", at=AT)
    assert again.imported and sum(count.created for count in again.tables) == 0
    call_command("flush", verbosity=0, interactive=False)
    assert load(tmp_path / "one", at=AT).imported
    settle()
    two = dump(tmp_path / "two", at=AT)
    assert {name for name in one if one[name] != two[name]} <= {"postings.csv"}
