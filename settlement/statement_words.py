"""What is wrong with a bank statement, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

# code -> (title, sentence with figures, advice)
WORDS: dict[str, tuple[Any, Any, Any]] = {
    "BALANCE_MISMATCH": (
        _("The balance is broken"),
        _("Opening %(opening)s and movements %(booked)s do not give closing %(closing)s: difference %(difference)s."),
        _("Ask the bank for a corrected statement, or accept this one with a reason."),
    ),
    "BALANCE_MISSING": (
        _("A balance is missing"),
        _("The file has no opening or no closing balance, so its sums cannot be checked."),
        _("Compare with the next statement."),
    ),
    "DETAILS_NOT_SUM": (
        _("Details do not add up"),
        _("The transfers inside entry %(entry)s do not sum to it; the entry is kept as one line."),
        _("Match the line by hand to all payments it stands for."),
    ),
    "REVERSAL_SIGN": (
        _("Reversals are written the other way round"),
        _("This bank writes the direction of reversed entries opposite to the standard; they were turned."),
        _("Nothing to do: the balance agrees."),
    ),
    "AMOUNT_UNREADABLE": (
        _("An amount cannot be read"),
        _("The amount of entry %(entry)s is not a number."),
        _("Ask the bank for a corrected statement."),
    ),
    "SEQUENCE_GAP": (
        _("A statement is missing"),
        _("Number %(expected)s was expected, this is number %(found)s."),
        _("Import the statements in between."),
    ),
    "OPENING_NOT_CLOSING": (
        _("The balances of two statements do not meet"),
        _("The statement before closed with %(expected)s, this one opens with %(found)s."),
        _("Ask the bank which one holds."),
    ),
}


def problem_rows(problems: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Stored findings as rows of the findings component."""
    rows = []
    for problem in problems:
        code = problem["code"]
        title, text, advice = WORDS.get(code, (code, "", ""))
        rows.append(
            {
                "severity": problem["severity"],
                "code": code,
                "title": title,
                "text": str(text) % problem["params"] if text else "",
                "advice": advice,
            }
        )
    return rows
