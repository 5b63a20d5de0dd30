"""What is wrong with a bank statement, and why a bank returned money, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.figures import written

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
    "STATEMENT_OVERLAP": (
        _("Two statements tell of the same days"),
        _("The statement %(other)s has the same number or days in common with this one."),
        _("Lines that bear the bank's own reference count once by themselves; look at the others."),
    ),
    "DATE_UNREADABLE": (
        _("A day cannot be read"),
        _("The day of entry %(entry)s is not a date."),
        _("Look whether the column of the day was chosen rightly."),
    ),
    "ROW_DAY_UNREADABLE": (
        _("A day cannot be read"),
        _("Row %(row)s of the file has «%(value)s» in the column «%(column)s», which is not a date."),
        _("Refuse the statement, correct the file or the columns of the table, and read the file again."),
    ),
    "ROW_SUM_UNREADABLE": (
        _("An amount cannot be read"),
        _("Row %(row)s of the file has «%(value)s» in the column «%(column)s», which is not a sum."),
        _("Refuse the statement, correct the file or the columns of the table, and read the file again."),
    ),
    "ROW_PASSED_OVER": (
        _("A row was passed over"),
        _("Row %(row)s of the file moves no money: «%(value)s»."),
        _("Look whether it is only a text, a sum of nought or a line of totals."),
    ),
    "DAY_TO_COME": (
        _("A record is of a day to come"),
        _("Record %(entry)s is dated %(day)s; when the file was read, records up to %(last)s could be."),
        _("Look whether the day and its column are right. Accept the statement only if the bank says so."),
    ),
    "LINE_CURRENCY": (
        _("A line is of another currency"),
        _("Record %(entry)s is of %(amount)s %(found)s; the books and our account are kept in %(expected)s."),
        _("It cannot be booked. Refuse the statement and ask the bank for one in the currency of the account."),
    ),
    "ACCOUNT_CURRENCY": (
        _("The account is of another currency"),
        _("The statement tells of an account in %(found)s; the books are kept in %(expected)s."),
        _("It cannot be booked. Refuse the statement and look whether it is of our account."),
    ),
    "OPENING_NOT_CLOSING": (
        _("The balances of two statements do not meet"),
        _("The statement before closed with %(expected)s, this one opens with %(found)s."),
        _("Ask the bank which one holds."),
    ),
}


# Figures of these findings that are sums of money.
_SUMS = {
    "BALANCE_MISMATCH": ("opening", "booked", "closing", "difference"),
    "OPENING_NOT_CLOSING": ("expected", "found"),
    "LINE_CURRENCY": ("amount",),
}
# A statement with one of these cannot be taken in: a row of it would be lost, or booked in a false currency.
_NEVER = {"DATE_UNREADABLE", "ROW_DAY_UNREADABLE", "ROW_SUM_UNREADABLE", "LINE_CURRENCY", "ACCOUNT_CURRENCY"}


def lasting_causes(problems: Iterable[Mapping[str, Any]]) -> list[str]:
    """Titles of what keeps a statement from ever being accepted; an unreadable balance does not, an entry does."""
    return _titles(item for item in problems if item["code"] in _NEVER or _lost_entry(item))


def blocking_causes(problems: Iterable[Mapping[str, Any]]) -> list[str]:
    """Titles of what set a statement aside."""
    return _titles(item for item in problems if item["severity"] == "block")


def _lost_entry(problem: Mapping[str, Any]) -> bool:
    return problem["code"] == "AMOUNT_UNREADABLE" and str(problem["params"].get("entry", "")).isdecimal()


def _titles(problems: Iterable[Mapping[str, Any]]) -> list[str]:
    titles = (str(WORDS[item["code"]][0]) if item["code"] in WORDS else item["code"] for item in problems)
    return list(dict.fromkeys(titles))


# Why a file could not be read at all: codes of the gateways.
UNREADABLE: dict[str, Any] = {
    "COLUMN_MISSING": _("the column «%(column)s» is missing"),
    "DTD_REFUSED": _("it carries definitions that could do harm"),
    "NOT_A_STATEMENT": _("it is another kind of document"),
    "NO_ROWS": _("it has no records below its row of headings"),
    "NO_READABLE_ROW": _(
        "not one of its records can be read: row %(row)s has «%(value)s» in the column «%(column)s»; "
        "look whether the columns were named rightly"
    ),
    "NOT_A_TABLE": _("it is no table with a row of headings"),
    "TOO_LARGE": _("it is too large"),
    "UNREADABLE_XML": _("it is damaged or cut off at line %(line)s"),
}


def unreadable_words(code: str, params: Mapping[str, object]) -> str:
    """Why a file could not be read, for people; the code itself where nobody has found words."""
    words = UNREADABLE.get(code)
    return str(words) % params if words else code


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
                "text": str(text) % _in_figures(code, problem["params"]) if text else "",
                "advice": advice,
            }
        )
    return rows


def _in_figures(code: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of a finding, its sums as people write them."""
    sums = {name: written(Decimal(str(params[name])), "#,##0.00") for name in _SUMS.get(code, ()) if name in params}
    return {**params, **sums}


# Codes of ISO 20022's external list of return reasons that banks use for credit transfers.
RETURN_REASONS: dict[str, Any] = {
    "AC01": _("the account number is wrong"),
    "AC04": _("the account is closed"),
    "AC06": _("the account is blocked"),
    "AG01": _("this kind of payment is not allowed on the account"),
    "AM09": _("the amount is not what was agreed"),
    "BE01": _("the account belongs to somebody else"),
    "FOCR": _("the payment was called back"),
    "MD07": _("the owner of the account has died"),
    "MS02": _("the owner of the account refused it"),
    "MS03": _("the bank gave no reason"),
    "RC01": _("the bank's code is wrong"),
    "RR04": _("the law does not allow it"),
}


def return_words(code: str) -> str:
    """Why the bank returned money: words where the code is known, always with the code."""
    words = RETURN_REASONS.get(code)
    return f"{words}, {code}" if words else code


# What a part of an incoming bank line may be.
PART_WORDS = {
    "fee": _("fee of a recipient"),
    "clawback": _("money asked back from a provider"),
    "advance": _("unused advance"),
    "clearing": _("clearing with another municipality"),
    "returned": _("payment of ours that came back"),
    "cards": _("money from Stripe"),
    "words": _("something else, in words"),
    "open": _("not known yet, stays open"),
}
