"""A line with what a run made of it, the arithmetic on times and shares, and the output rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from tests.oracle.lookups import CENT, Claim, Line, round_half_up

REJECTIONS_OF_OVERLAP = {"CLM-20", "CLM-21", "CLM-22"}
ZERO = Decimal(0)
HOUR = timedelta(hours=1)


@dataclass
class Finding:
    """One check that fired on one line, with what it took.

    One that came with the package wants units, or money alone.
    """

    check: str
    severity: str
    units: Decimal = ZERO
    amount: Decimal = ZERO
    wanted_units: Decimal | None = None
    wanted_amount: Decimal = ZERO


@dataclass
class Judged:
    """A line with what a run made of it."""

    line: Line
    period: str
    run: int
    findings: dict[str, Finding]
    units: Decimal = ZERO
    rate: Decimal = ZERO
    gross: Decimal = ZERO
    fee: Decimal = ZERO
    rounded_overlap: dict[str, Decimal] = field(default_factory=dict)

    @property
    def claimed(self) -> Decimal:
        """Units times rate as claimed, rounded once."""
        return round_half_up(self.line.units * self.line.rate)

    @property
    def spoils(self) -> bool:
        """Whether a rejection other than of overlap keeps it from being an earlier line."""
        return any(f.severity == "R" and f.check not in REJECTIONS_OF_OVERLAP for f in self.findings.values())

    @property
    def outcome(self) -> str:
        """Point 9."""
        if any(f.severity == "P" and f.units > 0 for f in self.findings.values()):
            return "pended"
        if self.units == 0 and any(f.severity == "R" for f in self.findings.values()):
            return "rejected"
        return "reduced" if self.gross < self.claimed else "accepted"


@dataclass
class Result:
    """The three output tables, as rows of canonical text, sorted."""

    adjudications: list[dict[str, str]] = field(default_factory=list)
    findings: list[dict[str, str]] = field(default_factory=list)
    remittances: list[dict[str, str]] = field(default_factory=list)

    def sort(self) -> None:
        """Order by period-independent natural key, then by everything else."""
        for rows in (self.adjudications, self.findings, self.remittances):
            rows.sort(key=_row_key)


def _row_key(row: dict[str, str]) -> tuple[object, ...]:
    first = (int(row["run"]), row["claim_number"], int(row.get("line", "0")))
    return (*first, tuple(row.values()))


def covered_time(line: Line, others: Iterable[Line]) -> timedelta:
    """Length of the line's time that at least one of the others covers."""
    if line.duration is None or line.starts_at is None or line.ends_at is None:
        return timedelta(0)
    spans = sorted(
        (max(o.starts_at, line.starts_at), min(o.ends_at, line.ends_at))
        for o in others
        if o.duration is not None and o.starts_at is not None and o.ends_at is not None
    )
    covered, reached = timedelta(0), line.starts_at
    for start, end in spans:
        if end > max(start, reached):
            covered += end - max(start, reached)
            reached = end
    return covered


def hours_up(length: timedelta, granularity: Decimal) -> Decimal:
    """Smallest multiple of the granularity that is at least the length in hours."""
    microseconds = length // timedelta(microseconds=1)
    step = granularity * 3_600_000_000
    count = -((-Decimal(microseconds)) // step)
    if count * step < microseconds:
        count += 1
    return count * granularity


def split(total: Decimal, weights: list[Decimal]) -> list[Decimal]:
    """Largest remainder at 0.01; ties by order."""
    whole = sum(weights, ZERO)
    if whole == 0:
        return [ZERO for _ in weights]
    cents, sums = int(total * 100), int(whole * 100)
    parts = [divmod(cents * int(weight * 100), sums) for weight in weights]
    order = sorted(range(len(parts)), key=lambda index: (-parts[index][1], index))
    left = cents - sum(quotient for quotient, _ in parts)
    extra = set(order[:left])
    return [Decimal(q + (1 if i in extra else 0)) * CENT for i, (q, _) in enumerate(parts)]


def value_left(current: Judged) -> Decimal:
    return round_half_up(current.units * current.rate)


def sum_units(lines: Iterable[Judged]) -> Decimal:
    return sum((j.units for j in lines), ZERO)


def sum_gross(lines: Iterable[Judged]) -> Decimal:
    return sum((j.gross for j in lines), ZERO)


def month_of(day: date) -> str:
    return day.strftime("%Y-%m")


def in_hours(length: timedelta) -> Decimal:
    return Decimal(length // timedelta(microseconds=1)) / Decimal(HOUR // timedelta(microseconds=1))


def _text(value: Decimal, places: int) -> str:
    return f"{value + 0:.{places}f}" if value else f"{ZERO:.{places}f}"


def adjudication_row(judged: Judged, run: int, claim_number: str, sign: int) -> dict[str, str]:
    """A row of adjudications; sign -1 repeats it for a reversal."""
    line = judged.line
    return {
        "run": str(run),
        "claim_number": claim_number,
        "line": str(line.number),
        "units_claimed": _text(line.units, 3),
        "units_allowed": _text(judged.units, 3),
        "rate_claimed": _text(line.rate, 4),
        "rate_allowed": _text(judged.rate, 4),
        "amount_claimed": _text(judged.claimed * sign, 2),
        "gross": _text(judged.gross * sign, 2),
        "fee": _text(judged.fee * sign, 2),
        "payable": _text((judged.gross - judged.fee) * sign, 2),
        "outcome": judged.outcome,
    }


def finding_row(judged: Judged, finding: Finding) -> dict[str, str]:
    """A row of findings, without detail."""
    return {
        "run": str(judged.run),
        "claim_number": judged.line.claim.number,
        "line": str(judged.line.number),
        "check": finding.check,
        "severity": finding.severity,
        "units": _text(finding.units, 3),
        "amount": _text(finding.amount, 2),
    }


def remittance_row(lines: list[Judged], run: int, claim: Claim, sign: int) -> dict[str, str]:
    """A row of remittances; sign -1 for a reversing claim."""
    findings = [finding for judged in lines for finding in judged.findings.values()]
    reductions = sum((f.amount for f in findings if f.severity in "RC"), ZERO)
    pended = sum((f.amount for f in findings if f.severity == "P"), ZERO)
    gross, fee = sum_gross(lines), sum((j.fee for j in lines), ZERO)
    claimed = sum((j.claimed for j in lines), ZERO)
    assert claimed == reductions + pended + gross, (claim.number, claimed, reductions, pended, gross)
    amounts = {
        "amount_claimed": claimed,
        "reductions": reductions,
        "pended": pended,
        "gross": gross,
        "fee": fee,
        "offsets": ZERO,
        "payable": gross - fee,
    }
    keys = {"run": str(run), "claim_number": claim.number, "provider_code": claim.provider_code}
    return keys | {name: _text(value * sign, 2) for name, value in amounts.items()}
