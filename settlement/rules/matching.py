"""Matching bank lines to payments, on columns.

Frames hold int64 keys, int64 minor units, int64 days since the epoch, and text that is empty when absent.

``lines``: line, amount (signed, credit positive), day, end_to_end, reference, account, batch, is_return.
``payments``: payment, amount (positive), day, end_to_end, reference, account, batch, paid (already confirmed
before), returned (already returned before).

Order, each rule only on what the earlier ones left: end-to-end id; creditor reference; batch reference with
equal
sum; amount, account and date window; equal sum of one account, then of all payments in the window. No line
and no
payment is matched twice; a payment may be paid once and come back once.
Source: rulebook 5.6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

MATCH_COLUMNS = ["line", "payment", "kind", "rule", "confidence", "amount"]
EXCEPTION_COLUMNS = ["line", "code"]
PAYMENT, RETURN = "payment", "return"

# How sure each rule is, of 100. Below SURE a person confirms.
CONFIDENCE = {
    "end_to_end": 100,
    "reference": 95,
    "batch": 90,
    "amount_account_date": 80,
    "account_sum": 70,
    "amount_account_date_ambiguous": 60,
    "window_sum": 60,
}
SURE = 80


@dataclass(frozen=True)
class MatchResult:
    """``matches``: MATCH_COLUMNS, amount signed as on the account. ``exceptions``: lines without a match,
    with why.
    """

    matches: pd.DataFrame
    exceptions: pd.DataFrame


def match_lines(lines: pd.DataFrame, payments: pd.DataFrame, *, window_days: int) -> MatchResult:
    """Match bank lines to payments.

    Money: minor units, sums exact. Time: ``window_days`` either way of the payment's day.
    The order of the rows changes nothing. Exceptions: UNKNOWN_CREDIT, UNKNOWN_RETURN, UNKNOWN_DEBIT,
    AMOUNT_DIFFERS
    (the id is known, the amount is another), REPEATED (the payment it names is matched by another line).
    """
    lines = lines.sort_values("line", ignore_index=True)
    payments = payments.sort_values("payment", ignore_index=True)
    outgoing = lines[(lines["amount"] < 0) & ~lines["is_return"]]
    incoming = lines[(lines["amount"] > 0) & lines["is_return"]]
    paid = _apply(_PAYMENT_RULES, outgoing, payments[~payments["paid"]], window_days).assign(kind=PAYMENT)
    gone = payments[(payments["paid"] | payments["payment"].isin(paid["payment"])) & ~payments["returned"]]
    back = _apply(_RETURN_RULES, incoming, gone, None).assign(kind=RETURN)
    matches = pd.concat([paid, back])[MATCH_COLUMNS].sort_values(["line", "payment"], ignore_index=True)
    return MatchResult(matches, _exceptions(lines, payments, matches))


def _apply(rules: list[_Rule], lines: pd.DataFrame, payments: pd.DataFrame, window_days: int | None) -> pd.DataFrame:
    """Run the rules one after another on what is left."""
    found = []
    for rule in rules:
        pairs = rule(lines, payments, window_days)
        found.append(pairs)
        lines = lines[~lines["line"].isin(pairs["line"])]
        payments = payments[~payments["payment"].isin(pairs["payment"])]
    whole = pd.concat(found)
    # Empty frames lose their types on the way; keys and money stay integers.
    return whole.astype({"line": "int64", "payment": "int64", "amount": "int64", "confidence": "int64"})


def _pairs(frame: pd.DataFrame, rule: str | pd.Series, sign: int) -> pd.DataFrame:
    """Match rows from joined rows with columns line, payment and the payment's amount."""
    pairs = frame[["line", "payment"]].assign(rule=rule, amount=sign * frame["amount_payment"])
    return pairs.assign(confidence=pairs["rule"].map(CONFIDENCE).astype("int64"))


def _by_key(key: str) -> _Rule:
    """One line and one payment with the same non-empty key and amount; the first line takes it."""

    def rule(lines: pd.DataFrame, payments: pd.DataFrame, window_days: int | None) -> pd.DataFrame:
        joined = _join(lines[lines[key] != ""], payments[payments[key] != ""], [key])
        joined = joined[joined["amount_line"].abs() == joined["amount_payment"]]
        joined = _one_to_one(joined, ["payment", "line"])
        return _pairs(joined, key, _sign(lines))

    return rule


def _by_amount_account_date(lines: pd.DataFrame, payments: pd.DataFrame, window_days: int | None) -> pd.DataFrame:
    """Same account and amount inside the window, nearest days first; sure only when nothing else fits."""
    left = lines[lines["account"] != ""].assign(size=lines["amount"].abs())
    right = payments[payments["account"] != ""].assign(size=payments["amount"])
    joined = _join(left, right, ["account", "size"])
    joined = joined.assign(distance=(joined["day_line"] - joined["day_payment"]).abs())
    if window_days is not None:
        joined = joined[joined["distance"] <= window_days]
    alone = ~joined.duplicated("line", keep=False) & ~joined.duplicated("payment", keep=False)
    rule = alone.map({True: "amount_account_date", False: "amount_account_date_ambiguous"})
    joined = _one_to_one(joined.assign(rule=rule), ["distance", "payment", "line"])
    return _pairs(joined, joined["rule"], _sign(lines))


def _by_sum(rule: str, *keys: str) -> _Rule:
    """One line for all payments with the same keys (inside the window, when there is one) whose sum is its
    amount.
    """

    def apply(lines: pd.DataFrame, payments: pd.DataFrame, window_days: int | None) -> pd.DataFrame:
        for key in keys:
            lines, payments = lines[lines[key] != ""], payments[payments[key] != ""]
        joined = _join(lines, payments, list(keys))
        if window_days is not None and rule != "batch":
            joined = joined[(joined["day_line"] - joined["day_payment"]).abs() <= window_days]
        whole = joined.groupby("line")["amount_payment"].transform("sum") == joined["amount_line"].abs()
        joined = joined[whole]
        # Two lines that could each be the whole group: the first takes it, the other stays for a person.
        first = joined.groupby("payment")["line"].transform("min") if len(joined) else joined["line"]
        complete = (joined["line"] == first).groupby(joined["line"]).transform("all")
        return _pairs(joined[complete.astype(bool)], rule, _sign(lines))

    return apply


def _join(lines: pd.DataFrame, payments: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    if keys:
        return lines.merge(payments, on=keys, suffixes=("_line", "_payment"))
    return lines.merge(payments, how="cross", suffixes=("_line", "_payment"))


def _one_to_one(joined: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """Take pairs in order, each line and each payment once.

    A loop over candidates: dropping duplicates of both columns at once would lose pairs whose rival was
    itself
    dropped.
    """
    joined = joined.sort_values(order)
    lines: set[int] = set()
    payments: set[int] = set()
    taken = []
    for line, payment in zip(joined["line"], joined["payment"], strict=True):
        free = line not in lines and payment not in payments
        taken.append(free)
        if free:
            lines.add(line)
            payments.add(payment)
    return joined[pd.Series(taken, index=joined.index, dtype=bool)]


def _sign(lines: pd.DataFrame) -> int:
    return 1 if len(lines) and lines["amount"].iloc[0] > 0 else -1


def _exceptions(lines: pd.DataFrame, payments: pd.DataFrame, matches: pd.DataFrame) -> pd.DataFrame:
    left = lines[~lines["line"].isin(matches["line"])]
    known = left["end_to_end"].map(payments.groupby("end_to_end")["amount"].first())
    named = known.notna() & (left["end_to_end"] != "")
    code = pd.Series("UNKNOWN_DEBIT", index=left.index, dtype=object)
    code[left["amount"] > 0] = "UNKNOWN_CREDIT"
    code[(left["amount"] > 0) & left["is_return"]] = "UNKNOWN_RETURN"
    code[named & (known != left["amount"].abs())] = "AMOUNT_DIFFERS"
    code[named & (known == left["amount"].abs())] = "REPEATED"
    return left[["line"]].assign(code=code).reset_index(drop=True)


_Rule = Callable[[pd.DataFrame, pd.DataFrame, int | None], pd.DataFrame]

_PAYMENT_RULES: list[_Rule] = [
    _by_key("end_to_end"),
    _by_key("reference"),
    _by_sum("batch", "batch"),
    _by_amount_account_date,
    _by_sum("account_sum", "account"),
    _by_sum("window_sum"),
]
_RETURN_RULES: list[_Rule] = [_by_key("end_to_end"), _by_key("reference"), _by_amount_account_date]
