"""Code lists of a jurisdiction for forms, so that nobody has to know a code by heart."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from django import forms
from django.utils import translation

REFERENCE = Path(__file__).resolve().parent / "reference"


@cache
def _rows(jurisdiction: str, table: str) -> tuple[dict[str, str], ...]:
    path = REFERENCE / jurisdiction / f"{table}.csv"
    if not path.is_file():
        return ()
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def _name(row: dict[str, str]) -> str:
    language = (translation.get_language() or "uk")[:2]
    return row.get(f"name_{language}") or row.get("name_uk") or row["name"]


def offer_codes(form: forms.Form, field: str, *, jurisdiction: str, table: str, numbered: bool = False) -> None:
    """Let a person choose from a list where the jurisdiction has one; elsewhere the field stays as it is.

    ``numbered``: people know these codes, so they stand before the names.
    """
    rows = _rows(jurisdiction, table)
    if not rows:
        return
    typed = form.fields[field]
    named = [(row["code"], f"{row['code']} {_name(row)}" if numbered else _name(row)) for row in rows]
    form.fields[field] = forms.ChoiceField(
        label=typed.label, help_text=typed.help_text, required=typed.required, choices=[("", "—"), *named]
    )
