"""The same run the slow way: line by line over objects of the ORM, every check that is judged on lines, every amount.

Objects are loaded as one does (``line_registers``: lines with what they name joined, each register once, look-ups in
dictionaries by key). The loop judges one line after the other: checks of the line alone, comparison with the lines
before, ceilings, then fees, reversals and remittances. It asks the database nothing. It writes no explanations of
findings and nothing into the database, and takes the severities as they are shipped. Loading is timed apart.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from tests.benchmarks import line_alone as alone
from tests.benchmarks.line_alone import money, once, recipient_of
from tests.benchmarks.line_patterns import find_patterns, meeting_of, share
from tests.benchmarks.line_registers import Registers, holds

_MILLI_HOUR = timedelta(hours=1) // 1000
_OVERLAPS = {"CLM-20", "CLM-21", "CLM-22"}
Spans = dict[tuple[Any, date], list[tuple[Any, Any]]]


class Judged:
    """A line while it falls: units (thousandths), rate (ten-thousandths) and value (hundredths) that are left."""

    def __init__(self, line: Any, known: Registers) -> None:
        self.line, self.known = line, known
        self.units, self.rate = line.units_milli, line.unit_rate_e4
        self.claimed = self.value = money(self.units, self.rate)
        self.fee, self.pended, self.worked = 0, False, timedelta(0)
        self.findings: dict[str, list[Any]] = {}

    def note(self, code: str, severity: str, units: int = 0, amount: int = 0) -> None:
        """A finding, or more of it."""
        found = self.findings.setdefault(code, [severity, 0, 0])
        found[1] += units
        found[2] += amount

    def take(self, code: str, severity: str, units: int) -> None:
        """Units, at most those left."""
        units, before = min(units, self.units), self.value
        self.units -= units
        self.value = money(self.units, self.rate)
        self.note(code, severity, units, before - self.value)

    def lower(self, code: str, limit: Any) -> None:
        """The rate to a limit."""
        if limit is not None and self.rate > int(limit * 10_000):
            before, self.rate = self.value, int(limit * 10_000)
            self.value = money(self.units, self.rate)
            self.note(code, "C", 0, before - self.value)

    def limit_units(self, code: str, left: int | None) -> None:
        """A ceiling of units."""
        if left is not None and self.units > max(left, 0):
            self.take(code, "C", self.units - max(left, 0))

    def limit_money(self, code: str, left: int | None) -> None:
        """A ceiling of money."""
        if left is not None and self.value > max(left, 0):
            self.note(code, "C", 0, self.value - max(left, 0))
            self.value = max(left, 0)

    @property
    def outcome(self) -> str:
        """What the line is called."""
        if self.pended:
            return "pended"
        if not self.units and any(found[0] == "R" for found in self.findings.values()):
            return "rejected"
        return "reduced" if self.value < self.claimed else "accepted"


class Before:
    """What the lines before, of this run and of earlier ones, used up and stand against."""

    def __init__(self, known: Registers) -> None:
        self.known = known
        self.visits: set[Any] = set()
        self.served: set[Any] = set()
        self.recipients: Spans = defaultdict(list)
        self.workers: Spans = defaultdict(list)
        self.worked: dict[Any, timedelta] = defaultdict(timedelta)
        self.used: dict[Any, int] = defaultdict(int)
        self.fees: dict[Any, int] = defaultdict(int)
        for row in known.past:
            line = row.claim_line
            self.keep(line)
            self.served.add((recipient_of(line), line.service_id, line.service_date))
            self.count(line, row.units_allowed, row.gross, row.gross)
            self.fees[recipient_of(line), _month(line)] += row.fee

    def keep(self, line: Any) -> None:
        """A line that later ones are compared with."""
        self.visits |= set(_identities(line))
        if alone.times_of(line, self.known):
            span = (line.starts_at, line.ends_at)
            for day in _days(line):
                self.recipients[recipient_of(line), day].append(span)
                if line.worker_code and not _in_group(line):
                    self.workers[line.worker_code, day].append(span)
            self.worked[line.worker_code, line.service_date] += line.ends_at - line.starts_at

    def count(self, line: Any, units: int, granted: int, gross: int) -> None:
        """What a line was allowed."""
        keys = _keys(line, self.known)
        for name in ("day", "month", "plan", "certificate"):
            self.used[keys[name]] += units
        for name in ("item", "grant"):
            self.used[keys[name]] += granted
        for name in ("year", "contract_line", "contract"):
            self.used[keys[name]] += gross

    def left(self, limit: Any, scale: int, key: Any) -> int | None:
        """What a ceiling has left; None where there is none."""
        return None if limit is None else int(limit * scale) - self.used[key]


def _month(line: Any) -> date:
    return line.service_date.replace(day=1)  # type: ignore[no-any-return]


def _days(line: Any) -> set[date]:
    return {line.starts_at.date(), line.ends_at.date()}


def _in_group(line: Any) -> bool:
    return line.service is not None and (line.service.group_size_max or 0) > 1


def _identities(line: Any) -> list[Any]:
    """By what a visit is known again: itself, and its evidence."""
    found: list[Any] = []
    if recipient_of(line) is not None:
        found.append((recipient_of(line), line.service_code, line.service_date, line.starts_at, line.worker_code))
    return [*found, line.redemption_code] if line.redemption_code else found


@once
def _keys(line: Any, known: Registers) -> dict[str, Any]:
    """Whose ceilings the line uses up."""
    visit, row, item = (recipient_of(line), line.service_id), alone.contract_line(line, known), None
    if known.grant_items[line.claim.contract_id,]:
        item = alone.grant_item(line, known)
    plan = alone.plan_of(line, known)
    return {
        "day": ("day", visit, line.service_date),
        "month": ("month", visit, _month(line)),
        "plan": ("plan", plan.pk if plan else None, _month(line)),
        "certificate": ("certificate", line.certificate_id, line.service_id),
        "year": ("year", visit, line.service_date.year),
        "contract_line": ("line", row.pk if row else None),
        "contract": ("contract", line.claim.contract_id),
        "item": ("item", item.pk if item else None),
        "grant": ("grant", line.claim.contract_id),
    }


def _covered(line: Any, spans: list[tuple[Any, Any]]) -> timedelta:
    """How much of the line's time others cover."""
    covered, reached = timedelta(0), line.starts_at
    for start, end in sorted(set(spans)):
        start, end = max(start, reached), min(end, line.ends_at)
        if start < end:
            covered, reached = covered + (end - start), end
    return covered


def judge(known: Registers) -> list[Judged]:
    """Every line in order, then the fees."""
    patterns, before, result = find_patterns(known), Before(known), []
    for line in known.lines:
        judged = Judged(line, known)
        _lower_rates(judged)
        _reject(judged, before)
        _pend(judged, before, patterns.get(line.pk, {}))
        _cut(judged, before, patterns.get(line.pk, {}))
        result.append(judged)
    _deduct_fees(result, before)
    _compare_fees(result, known)
    return result


def _lower_rates(judged: Judged) -> None:
    row, norm = alone.contract_line(judged.line, judged.known), None
    if recipient_of(judged.line) is not None and judged.line.service is not None:
        norm = alone.norm_of(judged.line, judged.known)
    judged.lower("CLM-16", row.unit_rate if row else None)
    judged.lower("CLM-17", norm.unit_rate if norm else None)


def _reject(judged: Judged, before: Before) -> None:
    line, known = judged.line, judged.known
    codes = {code for code, fires in alone.ALONE.items() if fires(line, known)}
    clean = not codes
    if _paid_twice(line, known, before):
        codes.add("CLM-29")
    if clean:
        before.served.add((recipient_of(line), line.service_id, line.service_date))
    codes |= {code for code, fires in alone.OWN.items() if fires(line, known)}
    parts = _overlaps(line, before)
    if any(visit in before.visits for visit in _identities(line)):
        parts["CLM-20"] = judged.units
    for code in sorted(codes | set(parts)):
        judged.take(code, "R", parts.get(code, judged.units))
    judged.worked = before.worked[line.worker_code, line.service_date]
    if not codes:
        before.keep(line)


def _overlaps(line: Any, before: Before) -> dict[str, int]:
    """Units that overlaps take: of hour services the hours rounded up, each check what exceeds the one before."""
    found: dict[str, int] = {}
    if not alone.times_of(line, before.known):
        return found
    counted, both = 0, [("CLM-21", before.recipients, recipient_of(line))]
    if not _in_group(line):
        both.append(("CLM-22", before.workers, line.worker_code or None))
    for code, spans, whose in both:
        near = [span for day in _days(line) for span in spans.get((whose, day), ())] if whose is not None else []
        covered = _covered(line, near)
        if covered:
            units = line.units_milli
            if line.service is not None and line.service.unit == "hour":
                step = int(line.service.granularity * 1000)
                units = -(-covered // (_MILLI_HOUR * step)) * step
            found[code] = max(units - counted, 0)
            counted = max(units, counted)
    return found


def _paid_twice(line: Any, known: Registers, before: Before) -> bool:
    """CLM-29."""
    recipient, excluded = recipient_of(line), known.excluding.get(line.service_id, set())
    if recipient is None or line.service is None:
        return False
    rows = [row for row in known.funding[recipient,] if row.service_id == line.service_id or row.service_id in excluded]
    funded = any(holds(row, line.service_date) for row in rows)
    return funded or any((recipient, other, line.service_date) in before.served for other in excluded)


def _pend(judged: Judged, before: Before, patterns: dict[str, str]) -> None:
    line, known = judged.line, judged.known
    codes = {code for code, fires in alone.PENDS.items() if fires(line, known)}
    codes |= {code for code, severity in patterns.items() if severity == "P"}
    if alone.times_of(line, known) and line.worker_code:
        hours = (judged.worked + (line.ends_at - line.starts_at)) / alone.HOUR
        if hours > known.figure("worker.hours_per_day_max", line.service_date):
            codes.add("CLM-24")
    for code in sorted(codes - known.lifted.get(line.pk, set())):
        judged.pended |= judged.units > 0
        judged.take(code, "P", judged.units)


def _cut(judged: Judged, before: Before, patterns: dict[str, str]) -> None:
    line, known, service, keys = judged.line, judged.known, judged.line.service, _keys(judged.line, judged.known)
    people = known.groups.get(meeting_of(line), 0) if service and service.group_size_max else 0
    if people and people > service.group_size_max:
        judged.take("CLM-48", "C", line.units_milli - line.units_milli * service.group_size_max // people)
    if service and recipient_of(line) is not None:
        _cut_units(judged, before, keys)
    if line.pk in known.vat:
        amount = min(known.vat[line.pk], judged.value)
        judged.note("CLM-39", "C", 0, amount)
        judged.value -= amount
    granted = _cut_grant(judged, before, keys)
    for code in [code for code, severity in patterns.items() if severity == "W"]:
        judged.note(code, "W")
    if alone.day_off(line, known):
        judged.note("CLM-33", "W")
    if service:
        _cut_money(judged, before, keys)
    before.count(line, judged.units, granted, judged.value)


def _cut_units(judged: Judged, before: Before, keys: dict[str, Any]) -> None:
    line, known, service = judged.line, judged.known, judged.line.service
    plan, covered = alone.plan_of(line, known), known.covered.get((line.certificate_id, line.service_id))
    judged.limit_units("CLM-14", before.left(service.units_per_day_max, 1000, keys["day"]))
    judged.limit_units("CLM-14", before.left(service.units_per_month_max, 1000, keys["month"]))
    if plan is not None and not service.one_off:
        judged.limit_units("CLM-13", before.left(plan.units_per_month, 1000, keys["plan"]))
    if covered is not None:
        judged.limit_units("CLM-12", before.left(covered.units, 1000, keys["certificate"]))
    odd = judged.units % int(service.granularity * 1000)
    if odd:
        judged.take("CLM-15", "C", odd)


def _cut_grant(judged: Judged, before: Before, keys: dict[str, Any]) -> int:
    """The item of the grant, then the tranches released; what is left after both."""
    line, known = judged.line, judged.known
    if known.grant_items[line.claim.contract_id,]:
        item = alone.grant_item(line, known)
        tranches = [row for row in known.milestones[line.claim.contract_id,] if row.tranche is not None]
        met = [row for row in tranches if any(note.kind == "met" for note in row.notes.all())]
        judged.limit_money("CLM-50", before.left(item.amount if item else None, 100, keys["item"]))
        released = sum(row.tranche.amount for row in met) if tranches else None
        judged.limit_money("CLM-50", before.left(released, 100, keys["grant"]))
    return judged.value


def _cut_money(judged: Judged, before: Before, keys: dict[str, Any]) -> None:
    line = judged.line
    row, contract = alone.contract_line(line, judged.known), line.claim.contract
    if recipient_of(line) is not None:
        judged.limit_money("CLM-18", before.left(line.service.amount_per_year_max, 100, keys["year"]))
    if row is not None and row.units_ceiling is not None:
        ceiling = money(int(row.units_ceiling * 1000), int(row.unit_rate * 10_000))
        judged.limit_money("CLM-19", before.left(ceiling, 1, keys["contract_line"]))
    if contract is not None and contract.ceiling is not None:
        judged.limit_money("CLM-19", before.left(contract.ceiling.amount, 100, keys["contract"]))


def _deduct_fees(result: list[Judged], before: Before) -> None:
    pools: dict[Any, list[Judged]] = defaultdict(list)
    limits: dict[Any, int] = {}
    for judged in result:
        line = judged.line
        fee = alone.fee_of(line, judged.known) if judged.value and not line.service.free_for_all else None
        if fee is not None and fee.mode == "C":
            judged.fee = judged.value
        elif fee is not None and fee.mode == "D":
            key = (recipient_of(line), _month(line))
            pools[key].append(judged)
            limits.setdefault(key, int((fee.monthly_limit or 0) * 100))
    for key, members in pools.items():
        weights = [judged.value for judged in members]
        pool = max(min(limits[key] - before.fees[key], sum(weights)), 0)
        for judged, part in zip(members, share(pool, weights), strict=True):
            judged.fee = part


def _compare_fees(result: list[Judged], known: Registers) -> None:
    """CLM-36, on the first line of the recipient on the claim."""
    due: dict[Any, int] = defaultdict(int)
    first: dict[Any, Judged] = {}
    for judged in result:
        key = (judged.line.claim_id, recipient_of(judged.line))
        if key in known.fee_reports:
            due[key] += judged.fee
            first.setdefault(key, judged)
    for key, judged in first.items():
        if due[key] != known.fee_reports[key].collected_minor:
            judged.note("CLM-36", "W")
