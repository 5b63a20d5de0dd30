"""Matching bank lines to payments, on columns.

Frames hold int64 keys, int64 minor units, int64 days since the epoch, and text that is empty when absent.

``lines``: line, amount (signed, credit positive; what is still open of the line), day, end_to_end, reference, also
(other references that the text quotes, with blanks between), account, batch, is_return.
``payments``, all that ever were, also failed ones: payment, amount (positive), seen (what bank lines have carried out
of it before), day, end_to_end, reference, account, batch, paid (nothing of it can leave any more), returned (nothing of
it can come back any more).

Order, each rule only on what the earlier ones left: end-to-end id; creditor reference; one line for a batch of equal
sum; several lines that together are one payment; amount, account and date window; equal sum of one account, then of all
payments in the window; a part of a payment that is named. No line is matched twice; a payment may be paid once, whole
or in parts, and come back once, whole. A line that quotes a reference of a payment is matched with that payment or with
sums that hold it; what else fits by account and sum is shown to a person.
Source: SET-5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

MATCH_COLUMNS = ["line", "payment", "kind", "rule", "confidence", "amount", "difference"]
PAYMENT, RETURN = "payment", "return"

# How sure each rule is, of 100. Below SURE a person confirms.
CONFIDENCE = {
    "end_to_end": 100,
    "reference": 95,
    "batch": 90,
    "parts": 90,
    "amount_account_date": 80,
    "account_sum": 70,
    "amount_account_date_ambiguous": 60,
    "window_sum": 60,
    "part": 60,
    "names_another": 40,
}
SURE = 80
# Among more pairs of equal amount on one account nobody could choose: they stay open instead of a guess.
PAIRS_OF_EQUALS = 10_000


@dataclass(frozen=True)
class MatchResult:
    """``matches``: MATCH_COLUMNS, amount signed as on the account, difference what stays open of the payment after all
    its matches. ``exceptions``: lines without a match, with why; difference by how much a named payment is larger.
    """

    matches: pd.DataFrame
    exceptions: pd.DataFrame


def match_lines(lines: pd.DataFrame, payments: pd.DataFrame, *, window_days: int) -> MatchResult:
    """Match bank lines to payments.

    Money: minor units, sums exact. Time: ``window_days`` either way of the payment's day.
    The order of the rows changes nothing. Exceptions: UNKNOWN_CREDIT, UNKNOWN_RETURN, UNKNOWN_DEBIT, AMOUNT_DIFFERS
    (the id is known, the amount is another), REPEATED (the payment it names is matched by another line).
    """
    lines, payments = _in_order(lines, "line"), _in_order(payments, "payment")
    quotes = _quotes(lines, payments)
    outgoing = lines[(lines["amount"] < 0) & ~lines["is_return"]]
    incoming = lines[(lines["amount"] > 0) & lines["is_return"]]
    due = payments[~payments["paid"]]
    paid = _apply(_PAYMENT_RULES, outgoing, due.assign(open=due["amount"] - due["seen"]), quotes, window_days, -1)
    gone = _gone(payments, paid) if len(incoming) else payments[:0]
    back = _apply(_RETURN_RULES, incoming, gone.assign(open=gone["amount"]), quotes, None, 1)
    found = pd.concat([paid.assign(kind=PAYMENT), back.assign(kind=RETURN)])
    order = np.lexsort((found["payment"].to_numpy(), found["line"].to_numpy()))
    matches = found[MATCH_COLUMNS].iloc[order].reset_index(drop=True)
    return MatchResult(matches, _exceptions(lines, payments, matches))


def _in_order(frame: pd.DataFrame, key: str) -> pd.DataFrame:
    return frame if frame[key].is_monotonic_increasing else frame.sort_values(key, ignore_index=True)


def _gone(payments: pd.DataFrame, paid: pd.DataFrame) -> pd.DataFrame:
    """Payments that have left in full, now or before, and did not come back."""
    whole = paid.loc[paid["difference"] == 0, "payment"]
    return payments[(payments["paid"] | payments["payment"].isin(whole)) & ~payments["returned"]]


@dataclass(frozen=True)
class _Quotes:
    """What lines quote: line and text, by the column they are of; ``names``: what payments of ours bear."""

    parts: dict[str, pd.DataFrame]
    names: pd.Series

    def but(self, key: str = "") -> pd.DataFrame:
        """Line and text of all columns but one."""
        some = [rows for of, rows in self.parts.items() if of != key and len(rows)]
        return some[0] if len(some) == 1 else pd.concat(some, ignore_index=True) if some else _NO_QUOTES

    def known(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Those whose text a payment of ours bears."""
        if not len(rows):
            return rows
        # Looked up among the few that are asked about: a table of all names would cost more than the rules.
        return rows[rows["text"].isin(self.names[self.names.isin(rows["text"])])]

    def left(self, lines: pd.DataFrame) -> _Quotes:
        """Of these lines alone, and only what payments bear."""
        parts = {of: self.known(rows[rows["line"].isin(lines["line"])]) for of, rows in self.parts.items()}
        return _Quotes(parts, self.names)


def _quotes(lines: pd.DataFrame, payments: pd.DataFrame) -> _Quotes:
    more = lines.loc[lines["also"] != "", ["line", "also"]]
    more = more.assign(also=more["also"].str.split(" ")).explode("also")
    parts = {}
    for of, frame in (("end_to_end", lines), ("reference", lines), ("also", more)):
        parts[of] = frame.loc[frame[of] != "", ["line", of]].rename(columns={of: "text"})
    return _Quotes(parts, pd.concat([payments["end_to_end"], payments["reference"]]))


def _agreeing(
    pairs: pd.DataFrame, payments: pd.DataFrame, quotes: _Quotes, key: str = "", *, together: bool = False
) -> pd.DataFrame:
    """Rows of lines and payments without those whose line quotes what its payment does not bear; ``together``: what
    none of its payments bears; ``key``: what they are joined by and bear both.
    """
    rows = quotes.but(key)
    if not len(pairs) or not len(rows):
        return pairs
    rows = pairs[["line", "payment"]].assign(pair=np.arange(len(pairs))).merge(rows, on="line")
    # Payments are in order: their rows are found by place.
    place = np.searchsorted(payments["payment"].to_numpy(), rows["payment"].to_numpy())
    rows["own"] = rows["text"].array == payments["reference"].array.take(place)
    other = np.flatnonzero(~rows["own"].to_numpy(dtype=bool))
    rows.loc[other, "own"] = rows["text"].array.take(other) == payments["end_to_end"].array.take(place[other])
    if together and not rows["own"].all():
        rows["own"] = rows.groupby(["line", "text"])["own"].transform("any")
    foreign = quotes.known(rows[~rows["own"]])
    if together:
        return pairs[~pairs["line"].isin(foreign["line"])]
    return pairs[~np.isin(np.arange(len(pairs)), foreign["pair"])] if len(foreign) else pairs


def _apply(
    rules: list[_Rule],
    lines: pd.DataFrame,
    payments: pd.DataFrame,
    quotes: _Quotes,
    window_days: int | None,
    sign: int,
) -> pd.DataFrame:
    """Run the rules one after another on what is left: columns line, payment, rule, confidence, amount, difference."""
    found = [_NOTHING]
    for place, rule in enumerate(rules):
        if not len(lines) or not len(payments):
            break
        pairs = rule(lines, payments, quotes, window_days)
        found.append(pairs)
        lines = lines[~lines["line"].isin(pairs["line"])]
        payments = payments[~payments["payment"].isin(pairs["payment"])]
        quotes = quotes if place else quotes.left(lines)
    whole = pd.concat([pairs for pairs in found if len(pairs)] or [_NOTHING])
    return whole.assign(amount=sign * whole["amount"])


def _pairs(
    frame: pd.DataFrame, rule: str | pd.Series, amount: pd.Series, difference: pd.Series | int = 0
) -> pd.DataFrame:
    """Match rows from joined rows with columns line and payment; ``amount`` and ``difference`` positive."""
    sure = CONFIDENCE[rule] if isinstance(rule, str) else rule.map(CONFIDENCE).astype("int64")
    return frame[["line", "payment"]].assign(rule=rule, confidence=sure, amount=amount, difference=difference)


def _joined(lines: pd.DataFrame, payments: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Lines beside payments of the same, non-empty keys: line, size, day_line, payment, open, day_payment, the keys."""
    for key in keys:
        lines, payments = lines[lines[key] != ""], payments[payments[key] != ""]
    if 4 * len(lines) < len(payments):
        payments = payments[payments[keys[0]].isin(lines[keys[0]])]
    left = lines[["line", "day", *keys]].assign(size=lines["amount"].abs())
    return left.merge(payments[["payment", "open", "day", *keys]], on=keys, suffixes=("_line", "_payment"))


def _by_key(key: str) -> _Rule:
    """One line and one payment with the same non-empty key and amount; the first line takes it."""

    def rule(lines: pd.DataFrame, payments: pd.DataFrame, quotes: _Quotes, window_days: int | None) -> pd.DataFrame:
        joined = _joined(lines, payments, [key])
        joined = _agreeing(joined[joined["size"] == joined["open"]], payments, quotes, key)
        joined = _one_to_one(joined, ["payment", "line"])
        return _pairs(joined, key, joined["size"])

    return rule


def _by_amount_account_date(
    lines: pd.DataFrame, payments: pd.DataFrame, quotes: _Quotes, window_days: int | None
) -> pd.DataFrame:
    """Same account and amount inside the window, nearest days first; sure only when nothing else fits."""
    lines = lines[lines["account"] != ""].assign(size=lines["amount"].abs())
    payments = payments[payments["account"].isin(lines["account"])].assign(size=payments["open"])
    keys = ["account", "size"]
    left, right = lines.groupby(keys)["line"].size(), payments.groupby(keys)["payment"].size()
    pairs = (left * right).dropna()
    usual = pairs[pairs <= PAIRS_OF_EQUALS].index
    lines = lines[pd.MultiIndex.from_frame(lines[keys]).isin(usual)]
    joined = lines[["line", "day", *keys]].merge(
        payments[["payment", "day", *keys]], on=keys, suffixes=("_line", "_payment")
    )
    joined = joined.assign(distance=(joined["day_line"] - joined["day_payment"]).abs())
    if window_days is not None:
        joined = joined[joined["distance"] <= window_days]
    joined = _agreeing(joined, payments, quotes)
    alone = ~joined.duplicated("line", keep=False) & ~joined.duplicated("payment", keep=False)
    rule = alone.map({True: "amount_account_date", False: "amount_account_date_ambiguous"})
    joined = _one_to_one(joined.assign(rule=rule), ["distance", "payment", "line"])
    return _pairs(joined, joined["rule"], joined["size"])


def _by_batch(lines: pd.DataFrame, payments: pd.DataFrame, quotes: _Quotes, window_days: int | None) -> pd.DataFrame:
    """One line for all payments of its batch; of lines that could each be the whole batch the first takes it."""
    named = payments[payments["batch"].isin(lines["batch"]) & (payments["batch"] != "")]
    sums = lines["batch"].map(named.groupby("batch")["open"].sum())
    first = lines[lines["amount"].abs() == sums].drop_duplicates("batch")
    joined = first[["line", "batch"]].merge(named[["payment", "open", "batch"]], on="batch")
    joined = _agreeing(joined, payments, quotes, together=True)
    return _pairs(joined, "batch", joined["open"])


def _by_parts(key: str, rule: str) -> _Rule:
    """Several lines that name one payment: together they are it (``parts``), or less than it (``part``)."""

    def apply(lines: pd.DataFrame, payments: pd.DataFrame, quotes: _Quotes, window_days: int | None) -> pd.DataFrame:
        lines = lines[lines[key] != ""]
        named = payments[payments[key].isin(lines[key])].drop_duplicates(key, keep=False)
        joined = _agreeing(_joined(lines, named, [key]), payments, quotes, key)
        left = joined["open"] - joined.groupby("payment")["size"].transform("sum")
        fits = left == 0 if rule == "parts" else left > 0
        return _pairs(joined[fits], rule, joined["size"][fits], left[fits])

    return apply


def _by_sum(rule: str, key: str | None) -> _Rule:
    """One line for all payments of its account, or of all accounts, whose days are in the window and whose sum it is.

    By running sums over payments in order of account and day, so that nothing is paired before it agrees.
    """

    def apply(lines: pd.DataFrame, payments: pd.DataFrame, quotes: _Quotes, window_days: int | None) -> pd.DataFrame:
        if key is not None:
            lines = lines[lines[key] != ""]
            payments = payments[payments[key].isin(lines[key])]
        place, row_place = _places(lines, payments, key)
        order = np.lexsort((payments["payment"].to_numpy(), row_place))
        totals = np.concatenate(([0], np.cumsum(payments["open"].to_numpy()[order])))
        window = _DAYS if window_days is None else window_days
        low = np.searchsorted(row_place[order], place - window, side="left")
        high = np.searchsorted(row_place[order], place + window, side="right")
        whole = (totals[high] - totals[low] == lines["amount"].abs().to_numpy()) & (high > low)
        found = pd.DataFrame({"line": lines["line"].to_numpy()[whole], "low": low[whole], "high": high[whole]})
        found = _of_ranges(found.drop_duplicates(["low", "high"]), payments.iloc[order], rule)
        return _agreeing(found, payments, quotes, together=True)

    return apply


# Wider than any window and than the days of all payments: accounts never touch on the common scale.
_DAYS = 1_000_000


def _places(lines: pd.DataFrame, payments: pd.DataFrame, key: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Account and day as one number, for lines and for payments."""
    line_day, payment_day = lines["day"].to_numpy(), payments["day"].to_numpy()
    if key is None:
        return line_day, payment_day
    codes, _names = pd.factorize(pd.concat([lines[key], payments[key]]))
    account = codes.astype(np.int64) * 4 * _DAYS
    return account[: len(lines)] + line_day, account[len(lines) :] + payment_day


def _of_ranges(found: pd.DataFrame, payments: pd.DataFrame, rule: str) -> pd.DataFrame:
    """Pairs of lines with the payments ``low`` to ``high``. Of two lines for one payment the first takes all of it, the
    other stays for a person.
    """
    counts = (found["high"] - found["low"]).to_numpy()
    starts = np.repeat(found["low"].to_numpy(), counts)
    steps = np.arange(len(starts)) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = payments.iloc[starts + steps]
    joined = pd.DataFrame(
        {
            "line": np.repeat(found["line"].to_numpy(), counts),
            "payment": rows["payment"].to_numpy(),
            "open": rows["open"].to_numpy(),
        }
    )
    first = joined.groupby("payment")["line"].transform("min")
    complete = (joined["line"] == first).groupby(joined["line"]).transform("all").astype(bool)
    joined = joined[complete]
    return _pairs(joined, rule, joined["open"])


def _names_another(rule: _Rule) -> _Rule:
    """What fits the lines that are left although they name other payments; never sure."""

    def apply(lines: pd.DataFrame, payments: pd.DataFrame, quotes: _Quotes, window_days: int | None) -> pd.DataFrame:
        lines = lines[lines["line"].isin(quotes.but()["line"])]
        if not len(lines):
            return _NOTHING
        pairs = rule(lines, payments, _Quotes({}, quotes.names), window_days)
        return pairs.assign(rule="names_another", confidence=CONFIDENCE["names_another"])

    return apply


def _one_to_one(joined: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    """Take pairs in order, each line and each payment once.

    Pairs without a rival are taken as they are. The rest is a loop over candidates: dropping duplicates of both columns
    at once would lose pairs whose rival was itself dropped.
    """
    rivals = joined.duplicated("line", keep=False) | joined.duplicated("payment", keep=False)
    contested = joined[rivals].sort_values(order)
    lines: set[int] = set()
    payments: set[int] = set()
    taken = []
    for line, payment in zip(contested["line"], contested["payment"], strict=True):
        free = line not in lines and payment not in payments
        taken.append(free)
        if free:
            lines.add(line)
            payments.add(payment)
    if not taken:
        return joined
    return pd.concat([joined[~rivals], contested[pd.Series(taken, index=contested.index, dtype=bool)]])


def _exceptions(lines: pd.DataFrame, payments: pd.DataFrame, matches: pd.DataFrame) -> pd.DataFrame:
    left = lines[~lines["line"].isin(matches["line"])]
    named = payments[payments["end_to_end"].isin(left["end_to_end"]) & (payments["end_to_end"] != "")]
    known = left["end_to_end"].map(named.groupby("end_to_end")["amount"].first())
    difference = (known - left["amount"].abs()).fillna(0).astype("int64")
    code = pd.Series("UNKNOWN_DEBIT", index=left.index, dtype=object)
    code[left["amount"] > 0] = "UNKNOWN_CREDIT"
    code[(left["amount"] > 0) & left["is_return"]] = "UNKNOWN_RETURN"
    code[known.notna() & (difference != 0)] = "AMOUNT_DIFFERS"
    code[known.notna() & (difference == 0)] = "REPEATED"
    return left[["line"]].assign(code=code, difference=difference).reset_index(drop=True)


_Rule = Callable[[pd.DataFrame, pd.DataFrame, _Quotes, int | None], pd.DataFrame]
_NOTHING = pd.DataFrame(
    {name: pd.Series(dtype="str" if name == "rule" else "int64") for name in MATCH_COLUMNS if name != "kind"}
)

_NO_QUOTES = pd.DataFrame({"line": pd.Series(dtype="int64"), "text": pd.Series(dtype="str")})

_PAYMENT_RULES: list[_Rule] = [
    _by_key("end_to_end"),
    _by_key("reference"),
    _by_batch,
    _by_parts("end_to_end", "parts"),
    _by_parts("reference", "parts"),
    _by_parts("batch", "parts"),
    _by_amount_account_date,
    _by_sum("account_sum", "account"),
    _by_sum("window_sum", None),
    _by_parts("end_to_end", "part"),
    _by_parts("reference", "part"),
    _names_another(_by_amount_account_date),
    _names_another(_by_sum("account_sum", "account")),
]
_RETURN_RULES: list[_Rule] = [
    _by_key("end_to_end"),
    _by_key("reference"),
    _by_amount_account_date,
    _names_another(_by_amount_account_date),
]
