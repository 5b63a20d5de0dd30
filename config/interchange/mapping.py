# ruff: noqa: S608 - every piece of SQL is a constant; values are parameters
"""Words in which the loaders say where columns go and which rows codes name."""

from __future__ import annotations

from config.interchange.specs import Check, Field

OWN = "t.organisation_id = %(org)s"


def own(table: str, code: str = "code") -> str:
    """Rows of the municipality by code, as SQL."""
    return f"(SELECT id, {code} AS code FROM {table} WHERE organisation_id = %(org)s)"


PROVIDERS = "contracts_provider"
WORKERS = "contracts_worker"
SERVICES = own("contracts_service")
TERRITORIES = own("contracts_territory")
CONTRACTS = own("contracts_contract", "number")
RECIPIENTS = own("vouchers_recipient")
CERTIFICATES = own("vouchers_certificate", "number")
REDEMPTIONS = own("vouchers_redemption")
CLAIMS = own("settlement_claim", "number")


def refused(table: str, key: str) -> str:
    """Whether the row of that key was refused, or its table as a whole, as SQL."""
    return (
        f"EXISTS (SELECT 1 FROM interchange_refused_key k WHERE k.table_name = '{table}' "
        f"AND (k.key = {key} OR k.key IS NULL))"
    )


def same(*columns: str) -> tuple[Field, ...]:
    """Columns that go where they are named."""
    return tuple(Field(column, column) for column in columns)


def to(column: str, target: str, expression: str = "", known: str = "") -> Field:
    """A column with its target, its expression and the stored figure."""
    return Field(column, target, expression, known)


def link(column: str, target: str) -> Field:
    """A code column whose resolved key is stored."""
    return Field(column, target, f"s.{column}_id")


def last_day(column: str = "valid_to") -> Field:
    """The last day that counts, stored as the first that does not."""
    return Field(column, column, f"s.{column} + 1")


def valid_range(first: str = "valid_from", last: str = "valid_to") -> Check:
    """The last day is not before the first."""
    return Check("RANGE", last, f"s.{last} < s.{first}")
