"""What an event kept is shown in words: every recorded key has a label; codes, sums and days are written out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from config.pages.trail_words import FIELDS, OF_EVENT, values_of

APPS = ("config", "contracts", "vouchers", "procurement", "settlement")
NOT_DATA = {"actor", "at", "organisation", "labels"}


def recorded() -> Iterator[tuple[str, str]]:
    """Code and key of everything that actions record."""
    for path in (path for app in APPS for path in (Path(settings.BASE_DIR) / app).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "record" and node.args:
                code = getattr(node.args[0], "value", "")
                yield from ((code, word.arg) for word in node.keywords if word.arg and word.arg not in NOT_DATA)


def test_every_recorded_key_has_a_label() -> None:
    keys = set(recorded())
    assert len(keys) > 100
    assert {(code, key) for code, key in keys if key not in FIELDS and (code, key) not in OF_EVENT} == set()


@pytest.mark.parametrize(
    ("action", "data", "said"),
    [
        ("payment_run.proposed", {"total": "225119.55"}, [("Total", "225,119.55\N{NO-BREAK SPACE}₴")]),
        ("claims.adjudicated", {"payable_minor": 24200}, [("Payable from the budget", "242.00\N{NO-BREAK SPACE}₴")]),
        ("absence.recorded", {"kind": "away"}, [("Kind", "away")]),
        ("tender.drafted", {"kind": "social_order"}, [("Kind", "social order")]),
        ("certificate.issued", {"last_day": "2025-12-31"}, [("Last day", "31 December 2025")]),
        ("month.closed", {"month": "2025-11"}, [("Month", "November 2025")]),
        ("interest.declared", {"conflict": False}, [("Conflict of interest", "no")]),
        ("payment_run.proposed", {"left_out": []}, []),
        ("contract.drafted", {"basis": "register"}, [("Ground", "register")]),
        ("norm_cost.ended", {"basis": "decision 7"}, [("Ground", "decision 7")]),
        ("reference.loaded", {"tables": {"cpv": {"created": 26, "changed": 1}}}, [("Records", "27")]),
        ("services.adopted", {"limits": {"015.1": {"year": "900.00"}, "016": {}}}, [("Services with limits", "2")]),
        ("from.elsewhere", {"odd_key": "x"}, [("odd_key", "x")]),
    ],
)
def test_values_in_words(action: str, data: dict[str, object], said: list[tuple[str, str]]) -> None:
    with translation.override("en"):
        assert values_of(action, data, "UAH") == said
