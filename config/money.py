"""The only file that names a rounding mode (G-1 to G-3).

Amounts have 2 decimal places, unit rates 4, units of service 3. Stored in bulk they are integers:
minor units (kopiykas), ten-thousandths and thousandths.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal

AMOUNT_PLACES = 2
RATE_PLACES = 4
UNITS_PLACES = 3

Number = Decimal | int | str

# Modes that a tariff decision may declare, by the code stored with the tariff set.
ROUNDING_MODES = {
    "half_up": ROUND_HALF_UP,
    "down": ROUND_DOWN,
    "up": ROUND_UP,
    "half_even": ROUND_HALF_EVEN,
}


_PLAIN = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")


def read_number(text: str) -> Decimal:
    """A number as people write it: thousands apart by spaces or apostrophes, a comma or point before the fraction.

    A lone comma or point is that of the fraction. Raises: ValueError. Example: "18 000,00", "18.000,00", "18,000.00".
    """
    plain = re.sub(r"[\s'\u2019]", "", text).replace("\u2212", "-")
    plain = _without_groups(plain).replace(",", ".")
    if len(plain) > 40 or not _PLAIN.fullmatch(plain):
        raise ValueError(text)
    return Decimal(plain)


def _without_groups(text: str) -> str:
    """Two separators or more: the first one groups thousands, another kind after it begins the fraction."""
    separators = re.findall(r"[.,]", text)
    if len(separators) < 2:
        return text
    thousands, last = separators[0], separators[-1]
    whole, _sign, fraction = text.rpartition(last) if last != thousands else (text, "", "")
    first, *groups = whole.split(thousands)
    if any(len(group) != 3 for group in groups):
        raise ValueError(text)
    return "".join([first, *groups]) + "." + fraction


def _exponent(places: int) -> Decimal:
    return Decimal(1).scaleb(-places)


def round_half_up(value: Number, places: int = AMOUNT_PLACES) -> Decimal:
    """Round half away from zero, as PostgreSQL's numeric does.

    Money: any currency. Source: G-2.
    Example: 1.005 -> 1.01; the built-in round() would give 1.00.
    """
    return Decimal(value).quantize(_exponent(places), ROUND_HALF_UP)


def round_down(value: Number, places: int = AMOUNT_PLACES) -> Decimal:
    """Round a legal ceiling ("not more than") towards zero, so that the result never exceeds it.

    Source: G-2. Example: 62.495 -> 62.49.
    """
    return Decimal(value).quantize(_exponent(places), ROUND_DOWN)


def round_to_step(value: Number, step: Decimal, mode: str = "half_up") -> Decimal:
    """Round to a multiple of ``step`` (0.01, 0.05, 0.10, 1.00) in the mode declared by a tariff decision.

    Raises: KeyError for a mode that is not in ``ROUNDING_MODES``.
    Source: TAR-2.
    """
    return (Decimal(value) / step).quantize(Decimal(1), ROUNDING_MODES[mode]) * step


def split_by_largest_remainder(total: Decimal, weights: Sequence[Number], places: int = AMOUNT_PLACES) -> list[Decimal]:
    """Share ``total`` in proportion to ``weights`` so that the parts equal the whole.

    Money: parts are multiples of 10**-places; ties go to the earlier weight.
    Raises: ValueError when the total is not a multiple of the smallest unit, a weight is negative, or all
    weights are zero while the total is not.
    Source: G-3. Example: 1278.00 over 712.50/475.00/332.50 -> 599.06/399.38/279.56.
    """
    shares = [Decimal(weight) for weight in weights]
    units = total.scaleb(places)
    if units != units.to_integral_value():
        raise ValueError(f"{total} has more than {places} decimal places")
    if any(share < 0 for share in shares):
        raise ValueError("weights must not be negative")
    whole = sum(shares, Decimal(0))
    if whole == 0:
        if total != 0:
            raise ValueError("nothing to share the total over")
        return [Decimal(0).scaleb(-places) for _ in shares]
    return _largest_remainder(int(units), shares, whole, places)


def _largest_remainder(units: int, shares: list[Decimal], whole: Decimal, places: int) -> list[Decimal]:
    sign = -1 if units < 0 else 1
    ratios = [share.as_integer_ratio() for share in shares]
    # Exact integers: a Decimal quotient is cut at 28 digits and would order close remainders wrongly.
    scale = 1
    for _, denominator in ratios:
        scale = scale * denominator // _gcd(scale, denominator)
    numerators = [numerator * (scale // denominator) for numerator, denominator in ratios]
    divisor = sum(numerators)
    floors = [abs(units) * numerator // divisor for numerator in numerators]
    remainders = [abs(units) * numerator % divisor for numerator in numerators]
    order = sorted(range(len(shares)), key=lambda index: (-remainders[index], index))
    for index in order[: abs(units) - sum(floors)]:
        floors[index] += 1
    return [Decimal(sign * part).scaleb(-places) for part in floors]


def _gcd(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a


def percent_shares(parts: Sequence[Number], places: int = 2) -> list[Decimal]:
    """Shares of ``parts`` in percent that sum to exactly 100.

    Example (seed 002): 1300/100/268/1500 -> 41.03/3.16/8.46/47.35; plain half-up gives 41.04 and 100.01.
    """
    return split_by_largest_remainder(round_half_up(100, places), list(parts), places)


def to_minor(amount: Number) -> int:
    """Amount in kopiykas. Raises: ValueError when the amount has more than 2 decimal places."""
    return _scaled(amount, AMOUNT_PLACES)


def from_minor(minor: int) -> Decimal:
    """Kopiykas as an amount with 2 places."""
    return Decimal(minor).scaleb(-AMOUNT_PLACES)


def to_rate(value: Number) -> int:
    """Unit rate in ten-thousandths. Raises: ValueError beyond 4 decimal places."""
    return _scaled(value, RATE_PLACES)


def from_rate(value: int) -> Decimal:
    """Ten-thousandths as a rate with 4 places."""
    return Decimal(value).scaleb(-RATE_PLACES)


def to_units(value: Number) -> int:
    """Units of service in thousandths. Raises: ValueError beyond 3 decimal places."""
    return _scaled(value, UNITS_PLACES)


def from_units(value: int) -> Decimal:
    """Thousandths as units with 3 places."""
    return Decimal(value).scaleb(-UNITS_PLACES)


def _scaled(value: Number, places: int) -> int:
    scaled = Decimal(value).scaleb(places)
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{value} has more than {places} decimal places")
    return int(scaled)
