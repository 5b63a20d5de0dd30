"""A small month in the database: a package imported by its action, to be judged by ours."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from django.db import connection

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from contracts.models import BudgetEntry, BudgetLine
from settlement.actions.adjudication import adjudicate_claims
from settlement.models import AdjudicationRun, Claim
from tests.config.interchange.packages import load_tables
from tests.conftest import AT, KYIV
from tests.oracle.small import Tables, add_visit, clean_tables, example_5_2
from vouchers.models import Certificate

NOVEMBER = date(2025, 11, 1)
# Random claims come up to a year late; whatever was submitted by then is judged.
LONG_AFTER = date(2030, 1, 1)


def two_visits() -> Tables:
    """Two clean visits of 1.5 h at 95.00: 142.50 each, all of it the recipient's fee up to 1 278.00."""
    tables = clean_tables()
    add_visit(tables, "2025-11-03", unit_rate="95", amount="142.50")
    add_visit(tables, "2025-11-04", unit_rate="95", amount="142.50")
    return tables


def free_visits() -> Tables:
    """The same without a fee: the budget pays 285.00."""
    tables = two_visits()
    tables["fee_assessments"][0] |= {"mode": "F", "monthly_limit": ""}
    return tables


def imported(tables: Tables, folder: Path) -> Organisation:
    """The organisation of the imported package."""
    report = load_tables(tables, folder)
    assert report.imported, report.refusals
    return Organisation.objects.get(code=report.organisation)


def judge(
    organisation: Organisation, *, at: datetime = AT, period: date = NOVEMBER, as_of: date | None = None
) -> AdjudicationRun | None:
    """The next run of the month."""
    return adjudicate_claims(organisation=organisation, period=period, as_of=as_of or at.date(), actor=SYSTEM, at=at)


def reserve(certificate: Certificate, amount_minor: int, *, at: datetime = AT) -> None:
    """A reservation on the budget line, as issuing writes it."""
    certificate.budget_line = BudgetLine.objects.get(organisation=certificate.organisation)
    certificate.reserved_minor = amount_minor
    certificate.save(update_fields=["budget_line", "reserved_minor"])
    BudgetEntry.objects.create(
        budget_line=certificate.budget_line,
        kind="reservation",
        amount_minor=amount_minor,
        label=f"vouchers.certificate:{certificate.pk}",
        occurred_on=at.date(),
        recorded_at=at,
    )


def set_aside(kind: str) -> int:
    """Sum of budget entries of a kind, minor units."""
    return sum(entry.amount_minor for entry in BudgetEntry.objects.filter(kind=kind))


def balance(account: str) -> int:
    """Debit less credit of an account, minor units."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(sum(p.debit - p.credit), 0) FROM settlement_posting p "
            "JOIN settlement_account a ON a.id = p.account_id WHERE a.code = %s",
            [account],
        )
        return int(cursor.fetchone()[0])


def the_claim(number: str = "A-1") -> Claim:
    return Claim.objects.get(number=number)


__all__ = ["AT", "KYIV", "NOVEMBER", "add_visit", "clean_tables", "example_5_2"]
