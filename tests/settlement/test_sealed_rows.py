"""Every column that decides about money is proved: one row changed with the triggers off is named, in every table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from config.accounts.models import Organisation
from config.office.seals import LEFT_OUT, UNSEALED, apply_seals, broken_seals, sealed_tables
from contracts.models import BudgetEntry, Contract, Service
from settlement.books import verify_books
from vouchers.models import Certificate, CertificateLine

pytestmark = pytest.mark.django_db

# Money, units and rates are numbers; a yes or no may decide as well (exempt from fees, paid apart). Texts decide
# through what they name, and are sealed like the rest.
DECIDING = {
    "bigint": "{0} + 1",
    "integer": "{0} + 1",
    "smallint": "{0} + 1",
    "numeric": "{0} + 1",
    "date": "{0} + 40",
    "timestamp with time zone": "{0} + interval '40 days'",
    "boolean": "NOT {0}",
}
ZERO = {"date": "'2025-11-01'", "timestamp with time zone": "'2025-11-01'", "boolean": "false", "jsonb": "'{}'"}
# What nothing proves, and why nobody is paid otherwise for it.
NOTHING_KNOWS = {
    "settlement_claim.status_at": "when a claim came into its state is told; terms run from moments of their own",
    "settlement_statementline.status_at": "when a line came into its state is told; its day is when the bank booked it",
    "settlement_webhookrefusal": UNSEALED["settlement_webhookrefusal"],
    "settlement_posting.id": "the order of postings in their entry is only shown",
    "contracts_cpvcode": UNSEALED["contracts_cpvcode"],
}


def columns() -> dict[str, list[tuple[str, str, bool]]]:
    """Table to (column, type, whether it may be empty), of every table that the three apps have."""
    found: dict[str, list[tuple[str, str, bool]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type, is_nullable = 'YES' FROM information_schema.columns "
            "WHERE table_schema = 'public' AND table_name ~ '^(contracts|vouchers|settlement)_' ORDER BY 1, 2"
        )
        for table, *column in cursor.fetchall():
            found.setdefault(table, []).append(tuple(column))
    return found


def one_row(table: str, of: list[tuple[str, str, bool]]) -> int:
    """A row of the town; where it has none, one that is made up and sealed as if it had been written."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "SELECT format('ALTER TABLE %%I DROP CONSTRAINT %%I CASCADE', conrelid::regclass, conname) "
            "FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('c', 'x', 'u')", [table]
        )  # fmt: skip
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
        cursor.execute(f"SELECT min(id) FROM {table}")
        if (first := cursor.fetchone()[0]) is None:
            values = {name: ZERO.get(kind, "'1'") for name, kind, _empty in of}
            cursor.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})")
            cursor.execute("SELECT office_seal_table(%s, %s)", [table, ",".join(LEFT_OUT.get(table, ()))])
            first = 1
    return int(first)


@contextmanager
def taken_back() -> Iterator[None]:
    """What happens in it has not happened."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def change(table: str, name: str, kind: str, row: int) -> None:
    """One value of one row becomes another."""
    empty = ZERO.get(kind, "1")
    otherwise = DECIDING[kind].format(f"COALESCE({name}, {empty})")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {name} = {otherwise} WHERE id = {row}")
        assert cursor.rowcount == 1


def test_every_column_of_a_sealed_table_is_proved(books: Organisation, as_owner: None) -> None:
    assert broken_seals(5) == []
    unnamed, seen, known = [], 0, columns()
    for table in sealed_tables():
        of = [column for column in known.get(table, []) if f"{table}.{column[0]}" not in NOTHING_KNOWS]
        with taken_back():
            row = one_row(table, known[table]) if of else 0
            for name, kind, _empty in of:
                if kind not in DECIDING or name == "id":
                    continue
                with taken_back():
                    change(table, name, kind, row)
                    seen += 1
                    named = [place for place, *_ in broken_seals(5) if f"{place} ".startswith(f"{table} {row} ")]
                    unnamed += [] if named else [f"{table}.{name}"]
    assert unnamed == []
    assert seen > 400


# Rows of a run are told by their run, or by the claim or entry that no longer adds up.
BY_THE_MILLION = sorted(set(UNSEALED) - set(NOTHING_KNOWS))


@pytest.mark.parametrize("table", BY_THE_MILLION)
def test_every_column_of_what_a_run_writes_is_proved(books: Organisation, as_owner: None, table: str) -> None:
    row = one_row(table, [])
    checks: dict[str, set[str]] = {}
    for name, kind, _empty in columns()[table]:
        if kind in DECIDING and not name.endswith("id"):
            with taken_back():
                change(table, name, kind, row)
                checks[name] = {fault.check for fault in verify_books()}
    assert checks and all(checks.values()), checks


def test_every_table_of_the_three_apps_is_proved_or_says_why_not() -> None:
    assert set(columns()) == (set(sealed_tables()) | set(UNSEALED)) - {"office_earlierversion"}
    assert set(LEFT_OUT) <= set(sealed_tables())


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE contracts_contract SET ceiling = 1 WHERE number = 'K2'", "contracts_contract {} K2"),
        ("UPDATE contracts_contractline SET unit_rate = unit_rate + 1 WHERE id = {}", "contracts_contractline {}"),
        ("UPDATE settlement_claimline SET amount_e4 = amount_e4 + 1 WHERE id = {}", "settlement_claimline {}"),
        ("UPDATE vouchers_redemption SET units_milli = units_milli + 1 WHERE id = {}", "vouchers_redemption {}"),
    ],
)
def test_a_price_or_figure_changed_behind_the_triggers_is_named(
    books: Organisation, as_owner: None, statement: str, named: str
) -> None:
    table = named.split()[0]
    with connection.cursor() as cursor:
        where = "WHERE number = 'K2'" if named.endswith("K2") else ""
        cursor.execute(f"SELECT min(id) FROM {table} {where}")
        row = cursor.fetchone()[0]
        assert broken_seals(5) == []
        cursor.execute(statement.format(row))
    (fault,) = [fault for fault in verify_books() if fault.check == "rows are as they were sealed"]
    assert fault.row.startswith(named.format(row))
    assert fault.expected == "the row as it was sealed"


def behind(statement: str, *values: Any) -> None:
    """With the triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, values)
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def test_what_is_written_honestly_is_sealed_anew(books: Organisation) -> None:
    certificate = Certificate.objects.get()
    certificate.pin_failures = 2
    certificate.save()
    Service.objects.update(name_en="Care")
    line = CertificateLine.objects.get()
    CertificateLine.objects.filter(pk=line.pk).update(units=line.units)
    assert broken_seals(5) == []


def test_an_honest_change_does_not_seal_what_was_changed_before_it(books: Organisation) -> None:
    behind("UPDATE contracts_service SET units_per_day_max = 99")
    Service.objects.update(name_en="Care")
    row = Service.objects.get()
    assert broken_seals(5) == [
        (f"contracts_service {row.pk} {row.code}", "the row as it was sealed", "another"),
    ]


def test_rows_that_came_or_went_behind_the_triggers_are_named(books: Organisation) -> None:
    gone, kept = BudgetEntry.objects.order_by("pk")[:2]
    behind("DELETE FROM contracts_budgetentry WHERE id = %s", gone.pk)
    behind(
        "INSERT INTO contracts_budgetentry (budget_line_id, kind, amount_minor, label, occurred_on, recorded_at) "
        "SELECT budget_line_id, kind, amount_minor, 'x', occurred_on, recorded_at FROM contracts_budgetentry "
        "WHERE id = %s",
        kept.pk,
    )
    new = BudgetEntry.objects.latest("pk")
    assert broken_seals(5) == [
        (f"contracts_budgetentry {gone.pk}", "the row as it was sealed", "no row"),
        (f"contracts_budgetentry {new.pk}", "a row that was written with its seal", "a row without one"),
    ]
    assert len(broken_seals(1)) == 1


def test_a_row_that_goes_honestly_takes_its_seal_along(books: Organisation) -> None:
    extra = Service.objects.get()
    extra.pk, extra.code = None, "999"
    extra.save()
    extra.delete()
    assert broken_seals(5) == []


def test_sealing_again_changes_nothing_and_a_table_without_its_trigger_is_named(books: Organisation) -> None:
    behind("UPDATE contracts_contract SET ceiling = 1 WHERE number = 'K2'")
    before = broken_seals(5)
    apply_seals()
    assert broken_seals(5) == before != []
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("DROP TRIGGER office_sealed_insert ON contracts_contract")
    expected = ("contracts_contract", "a table whose rows are sealed", "no trigger that seals them")
    assert broken_seals(5) == [expected]


def test_a_new_column_is_sealed_after_the_next_migration(books: Organisation) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE contracts_contract ADD COLUMN bonus integer NOT NULL DEFAULT 0")
    apply_seals()
    assert broken_seals(5) == []
    behind("UPDATE contracts_contract SET bonus = 1 WHERE number = 'K2'")
    assert [place for place, *_ in broken_seals(5)] == [named_contract("K2")]


def test_a_new_column_does_not_seal_what_was_changed_before_it_came(books: Organisation) -> None:
    behind("UPDATE contracts_contract SET ceiling = 1 WHERE number = 'K2'")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE contracts_contract ADD COLUMN bonus integer NOT NULL DEFAULT 0")
    apply_seals()
    assert [place for place, *_ in broken_seals(5)] == [named_contract("K2")]


def test_a_column_that_goes_is_sealed_no_more(books: Organisation) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE contracts_contract DROP COLUMN title")
    apply_seals()
    assert broken_seals(5) == []


def named_contract(number: str) -> str:
    """As the proof names it."""
    return f"contracts_contract {Contract.objects.values_list('pk', flat=True).get(number=number)} {number}"
