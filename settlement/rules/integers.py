"""Exact arithmetic on columns of integers: rounding, sharing, and the way figures are written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import numpy as np

from settlement.rules.facts import HOUR, NO_AMOUNT, NO_TIME, Ints

_SAFE = 1 << 62
# thousandths x ten-thousandths = 1e-7; hundredths are 1e5 of those.
_PER_HUNDREDTH = 100_000


def value_of(units: Ints, rates: Ints) -> Ints:
    """Hundredths of ``units x rate``, half up.

    Money: units in thousandths, rates in ten-thousandths, neither negative; rounded once. Source:
    G-2.
    Example: 1500 x 983333 -> 14750.
    """
    if not len(units) or int(units.max()) * int(rates.max()) < _SAFE:
        return (units * rates + _PER_HUNDREDTH // 2) // _PER_HUNDREDTH
    exact = units.astype(object) * rates.astype(object)
    return ((exact + _PER_HUNDREDTH // 2) // _PER_HUNDREDTH).astype(np.int64)


def units_covering(microseconds: Ints, granularity: Ints) -> Ints:
    """The smallest multiple of ``granularity`` (thousandths of an hour) that covers a time.

    Example: 10 minutes at a granularity of 500 -> 500.
    """
    step = granularity * (HOUR // 1000)
    return -(-microseconds // step) * granularity


def in_order(keys: Ints) -> Ints:
    """Positions of keys from the smallest, equal ones as they stand."""
    bits = max(len(keys) - 1, 0).bit_length()
    low, high = (int(keys.min()), int(keys.max())) if len(keys) else (0, 0)
    if high - low >= 1 << (62 - bits):
        return np.argsort(keys, kind="stable")
    # A key and its position in one number: plain sorting of numbers is many times faster than sorting positions.
    return np.sort(((keys - low) << bits) | np.arange(len(keys))) & ((1 << bits) - 1)


def numbered(keys: Ints) -> tuple[Ints, Ints, Ints]:
    """Distinct keys, the position of the first of each, and the number of each key among them."""
    order = in_order(keys)
    ordered = keys[order]
    fresh = np.ones(len(keys), dtype=bool)
    fresh[1:] = ordered[1:] != ordered[:-1]
    index = np.empty(len(keys), dtype=np.int64)
    index[order] = np.cumsum(fresh) - 1
    return ordered[fresh], order[fresh], index


def totals_before(groups: Ints, values: Ints) -> Ints:
    """For each row the sum of ``values`` of the rows above it in the same group."""
    order = in_order(groups)
    running = np.cumsum(values[order]) - values[order]
    base = running[group_starts(groups[order])]
    result = np.empty_like(running)
    result[order] = running - base
    return result


def group_starts(ordered: Ints) -> Ints:
    """For each row of sorted groups the position where its group begins."""
    fresh = np.ones(len(ordered), dtype=bool)
    fresh[1:] = ordered[1:] != ordered[:-1]
    return np.maximum.accumulate(np.where(fresh, np.arange(len(ordered)), 0))


def share_out(pools: Ints, weights: Ints, groups: Ints) -> Ints:
    """Shares of each group's pool in proportion to weights, by largest remainder; ties go to the upper row.

    Money: hundredths; ``pools`` repeats the group's pool on each of its rows; weights are positive and their
    sum in a group is not below its pool. Source: G-3. Example: 127800 over 71250/47500/33250 ->
    59906/39938/27956.
    """
    if not len(pools):
        return pools.copy()
    _, _, index = numbered(groups)
    sums = _sums(index, weights)[index]
    floors, remainders = _divide(pools, weights, sums)
    missing = pools - _sums(index, floors)[index]
    order = in_order(-remainders)
    order = order[in_order(index[order])]
    rank = np.empty(len(pools), dtype=np.int64)
    rank[order] = np.arange(len(pools)) - group_starts(index[order])
    return floors + (rank < missing)


def _sums(index: Ints, values: Ints) -> Ints:
    totals = np.zeros(int(index.max()) + 1, dtype=np.int64)
    np.add.at(totals, index, values)
    return totals


def _divide(pools: Ints, weights: Ints, sums: Ints) -> tuple[Ints, Ints]:
    if int(pools.max()) * int(weights.max()) < _SAFE:
        product = pools * weights
        return product // sums, product % sums
    exact = pools.astype(object) * weights.astype(object)
    return (exact // sums).astype(np.int64), (exact % sums).astype(np.int64)


def _each(values: Ints, write: Callable[[int], str]) -> list[str]:
    """Written values; equal ones are written once."""
    distinct, _, index = numbered(values)
    texts = [write(value) for value in distinct.tolist()]
    return [texts[at] for at in index.tolist()]


def write_scaled(values: Ints, places: int) -> list[str]:
    """Numbers with ``places`` implied decimals, without trailing zeros."""
    return _each(values, lambda value: _written(value, places))


def _written(value: int, places: int) -> str:
    sign, digits = ("-" if value < 0 else ""), str(abs(value)).rjust(places + 1, "0")
    whole, fraction = digits[:-places], digits[-places:].rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else sign + whole


def write_units(values: Ints) -> list[str]:
    """Thousandths: 1500 -> 1.5."""
    return write_scaled(values, 3)


def write_rates(values: Ints) -> list[str]:
    """Ten-thousandths, at least two decimals: 950000 -> 95.00."""
    return _each(values, lambda value: _with_cents(_written(value, 4)))


def write_money(values: Ints) -> list[str]:
    """Hundredths: 152000 -> 1520.00."""
    return _each(values, lambda value: _with_cents(_written(value, 2)))


def write_claimed(values: Ints) -> list[str]:
    """The claimed amount as written (ten-thousandths); empty when it was blank."""
    return _each(values, lambda value: "" if value == NO_AMOUNT else _with_cents(_written(value, 4)))


def _with_cents(text: str) -> str:
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(2, '0')}"


def write_days(values: Ints) -> list[str]:
    """Days since 1970 as ISO dates."""
    return _each(values, lambda day: str(np.datetime64(day, "D")))


def write_hours(microseconds: Ints) -> list[str]:
    """Durations as hours and minutes: 1:30; seconds only where there are some."""
    return _each(microseconds, _clock)


def _clock(microseconds: int) -> str:
    if microseconds == NO_TIME:
        return ""
    minutes, rest = divmod(microseconds, 60_000_000)
    text = f"{minutes // 60}:{minutes % 60:02d}"
    return f"{text}:{rest / 1_000_000:02g}" if rest else text


def write_texts(values: Iterable[str]) -> list[str]:
    """Texts made safe inside a JSON string."""
    return [json.dumps(value, ensure_ascii=False)[1:-1] for value in values]


def write_details(columns: dict[str, list[str]], size: int) -> list[str]:
    """One compact JSON object a row."""
    if not columns:
        return ["{}"] * size
    template = "{" + ",".join(f'"{name}":"%s"' for name in columns) + "}"
    return [template % row for row in zip(*columns.values(), strict=True)]
