"""datapackage.json: the municipality, and a Table Schema for every table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from config.accounts.models import Organisation
from config.interchange.descriptions import DESCRIPTIONS, FACTS, Description
from config.interchange.tables import INPUT_TABLES, OPTIONAL_TABLES, OUTPUT_TABLES, Column, Table
from settlement.models import AdjudicationRun

_TYPES = {
    "date": "date",
    "time": "datetime",
    "month": "yearmonth",
    "int": "integer",
    "count": "integer",
    "bool": "boolean",
    "units": "number",
    "taken": "number",
    "rate": "number",
    "amount": "number",
    "exact": "number",
}
# Tables whose rows have no natural key of their own, or repeat it for a reversal.
_WITHOUT_KEY = {"adjudications"}


def describe(
    organisation: Organisation, optional: Iterable[str] = (), run: AdjudicationRun | None = None
) -> dict[str, Any]:
    """The descriptor of a package; the same municipality gives the same text, whenever it is written.

    ``optional``: names of the tables that not every package has. ``run``: the one whose facts the package has.
    """
    tables = (*INPUT_TABLES.values(), *OUTPUT_TABLES.values(), *(OPTIONAL_TABLES[name] for name in optional))
    return {
        "profile": "tabular-data-package",
        "name": organisation.code.lower(),
        "title": organisation.name,
        "organisation": {
            "code": organisation.code,
            "name": organisation.name,
            "jurisdiction": organisation.jurisdiction,
            "zone": organisation.zone,
            "currency": organisation.currency,
        },
        **({"facts": {"run": str(run), "known_at": run.known_at.isoformat(), "description": FACTS}} if run else {}),
        "resources": [_resource(table) for table in tables],
    }


def _resource(table: Table) -> dict[str, Any]:
    told = DESCRIPTIONS.get(table.name, Description("", ""))
    fields = [_field(column) | _described("", told.columns.get(column.name, "")) for column in table.columns]
    schema: dict[str, Any] = {"fields": fields}
    if table.key and table.name not in _WITHOUT_KEY:
        schema["primaryKey"] = list(table.key)
    return {
        "name": table.name,
        **_described(told.title, told.text),
        "path": f"{table.name}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": schema,
    }


def _described(title: str, text: str) -> dict[str, str]:
    return {name: words for name, words in (("title", title), ("description", text)) if words}


def _field(column: Column) -> dict[str, Any]:
    field: dict[str, Any] = {"name": column.name, "type": _TYPES.get(column.kind, "string")}
    constraints: dict[str, Any] = {}
    if column.required:
        constraints["required"] = True
    if column.choices:
        constraints["enum"] = list(column.choices)
    return field | ({"constraints": constraints} if constraints else {})
