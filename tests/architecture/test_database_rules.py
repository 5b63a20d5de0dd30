"""What the database itself must be: times with zones, no floats, history that nobody edits."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.db.models import Model

from config.fields import AppendOnlyModel

# Bits of pg_trigger.tgtype.
ROW, BEFORE, DELETE, UPDATE, TRUNCATE = 1, 2, 8, 16, 32
HISTORY = sorted(
    (model for model in apps.get_models() if issubclass(model, AppendOnlyModel)), key=lambda model: model._meta.db_table
)

# A function of pgtrigger whose whole body, after the check of its own switch, is one exception.
ONLY_REFUSES = r"END IF;\s+END IF;\s+RAISE EXCEPTION[^;]*;\s+END;\s*$"

pytestmark = pytest.mark.django_db


def columns_of_type(*types: str) -> list[str]:
    """table.column of the types, in our schema."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name || '.' || column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND data_type = ANY(%s) ORDER BY 1",
            [list(types)],
        )
        return [name for (name,) in cursor.fetchall()]


def test_every_time_has_its_zone() -> None:
    assert "audit_auditevent.recorded_at" in columns_of_type("timestamp with time zone")
    assert columns_of_type("timestamp without time zone", "time with time zone") == []


def test_no_column_is_a_float_or_the_money_type() -> None:
    assert "contracts_contract.id" in columns_of_type("bigint")
    assert columns_of_type("real", "double precision", "money") == []


def guards_of(model: type[Model]) -> int:
    """Bits of the live triggers that refuse: their function does nothing but raise."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(bit_or(t.tgtype), 0) FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
            "WHERE t.tgrelid = %s::regclass AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgqual IS NULL "
            "AND p.prosrc ~ %s",
            [model._meta.db_table, ONLY_REFUSES],
        )
        return int(cursor.fetchone()[0])


def test_history_is_on_the_list() -> None:
    assert {model.__name__ for model in HISTORY} >= {
        "AuditEvent",
        "BudgetEntry",
        "CertificateEntry",
        "Adjudication",
        "Finding",
        "Entry",
        "Posting",
        "PaymentRunApproval",
    }


def test_whatever_calls_itself_append_only_is_on_the_list() -> None:
    said = [
        model._meta.label
        for model in apps.get_models()
        if "append-only" in (model.__doc__ or "").lower() and not issubclass(model, AppendOnlyModel)
    ]
    assert said == []


@pytest.mark.parametrize("model", HISTORY, ids=lambda model: model.__name__)
def test_history_has_triggers_against_every_way_to_change_it(model: type[Model]) -> None:
    wanted = ROW | BEFORE | UPDATE | DELETE | TRUNCATE
    assert guards_of(model) & wanted == wanted


def test_a_table_that_may_change_has_none_of_them() -> None:
    assert guards_of(apps.get_model("accounts", "Organisation")) == 0


@pytest.mark.parametrize("model", HISTORY, ids=lambda model: model.__name__)
def test_history_cannot_be_truncated_even_by_its_owner(model: type[Model]) -> None:
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f'TRUNCATE "{model._meta.db_table}" CASCADE')
