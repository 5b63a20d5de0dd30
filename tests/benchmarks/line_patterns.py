"""What the loop has to know of many lines before it judges one: sums of claims, of people, of workers' days."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from datetime import timedelta
from itertools import pairwise
from typing import Any

from tests.benchmarks.line_alone import HOUR, money, recipient_of, times_of
from tests.benchmarks.line_registers import Registers

_EARTH_METRES = 6_371_000
Keys = dict[Any, list[Any]]


def find_patterns(known: Registers) -> dict[int, dict[str, str]]:
    """Check and severity by line, of the checks that compare lines; leaves sums of claims with the registers."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    known.bearing = {(line.claim_id, recipient_of(line)) for line in known.lines if not _is_free(line)}
    known.twins = _twins(known)
    known.vat = _vat(known)
    known.groups = _groups(known)
    for line, severity in _declared_totals(known):
        found[line.pk]["CLM-40"] = severity
    for code, lines in (("CLM-23", _hasty(known)), ("CLM-41", _outliers(known)), ("CLM-42", _round_hours(known))):
        for line in lines:
            found[line.pk][code] = "W"
    return found


def _is_free(line: Any) -> bool:
    return line.service is None or bool(line.service.free_for_all)


def _by(lines: list[Any], key: Any) -> Keys:
    found: Keys = defaultdict(list)
    for line in lines:
        found[key(line)].append(line)
    return found


def _twins(known: Registers) -> set[int]:
    """Claims with the file or the invoice number of another one that comes before or was paid."""
    paid = {row.claim_id for row in known.past}
    order = {claim.pk for claim in known.claims}
    invoices: Keys = defaultdict(list)
    for row in known.declared.values():
        if row.document_number:
            invoices[row.claim.provider_id, row.document_number].append(row.claim_id)
    shared = list(invoices.values())
    for (kind, _sha), rows in known.same_file.items():
        if kind == "claim_evidence":
            shared.append([int(row.label.rsplit(":", 1)[1]) for row in rows])
    return {
        claim
        for claims in shared
        for claim in claims
        if any(other in paid or (other < claim and other in order) for other in claims if other != claim)
    }


def share(pool: int, weights: list[int]) -> list[int]:
    """A pool in proportion to weights by largest remainder, ties to the first."""
    whole = sum(weights)
    parts = [divmod(pool * weight, whole) for weight in weights]
    left = pool - sum(part for part, _rest in parts)
    order = sorted(range(len(parts)), key=lambda at: (-parts[at][1], at))
    extra = set(order[:left])
    return [part + (at in extra) for at, (part, _rest) in enumerate(parts)]


def _vat(known: Registers) -> dict[int, int]:
    """Each line's share of the VAT that an invoice adds."""
    found: dict[int, int] = {}
    by_claim = _by(sorted(known.lines, key=lambda line: line.pk), lambda line: line.claim_id)
    for claim, row in known.declared.items():
        weights = [(line.pk, money(line.units_milli, line.unit_rate_e4)) for line in by_claim.get(claim, ())]
        weights = [(line, weight) for line, weight in weights if weight]
        if row.vat_minor and weights:
            pool = min(row.vat_minor, sum(weight for _line, weight in weights))
            shares = share(pool, [weight for _line, weight in weights])
            found |= {line: part for (line, _weight), part in zip(weights, shares, strict=True) if part}
    return found


def _groups(known: Registers) -> dict[tuple[Any, ...], int]:
    """People of each meeting."""
    people: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for line in known.lines:
        if line.service and line.service.group_size_max and line.starts_at and line.ends_at and line.worker_code:
            people[meeting_of(line)].add(line.certificate_number)
    return {key: len(names) for key, names in people.items()}


def meeting_of(line: Any) -> tuple[Any, ...]:
    """What people at the same meeting share."""
    return (line.service_code, line.worker_code, line.starts_at, line.ends_at)


def _declared_totals(known: Registers) -> list[tuple[Any, str]]:
    found = []
    for claim, lines in _by(known.lines, lambda line: line.claim_id).items():
        row = known.declared.get(claim)
        if row is None or row.total_minor is None:
            continue
        first = min(lines, key=lambda line: line.line)
        difference = abs(row.total_minor * 100 - sum(line.amount_e4 for line in lines))
        if difference:
            tolerance = known.figure("claim.rounding_tolerance", first.claim.period) * 10_000
            found.append((first, "P" if difference > tolerance else "W"))
    return found


def _hasty(known: Registers) -> list[Any]:
    """CLM-23: visits that the worker cannot have reached in time from the one before."""
    located = [line for line in known.lines if line.worker and times_of(line, known) and _place(line)]
    found = []
    for lines in _by(located, lambda line: line.worker_id).values():
        lines.sort(key=lambda line: line.starts_at)
        for before, line in pairwise(lines):
            metres = _metres(_place(before), _place(line))
            gap = max(line.starts_at - before.ends_at, timedelta(0)) / HOUR
            if metres and gap * float(known.figure("worker.travel_kmh_max", line.service_date)) * 1000 < metres:
                found.append(line)
    return found


def _place(line: Any) -> tuple[int, int] | None:
    scan = getattr(line.redemption, "scan", None)
    return None if scan is None or scan.latitude_e5 is None else (scan.latitude_e5, scan.longitude_e5)


def _metres(first: Any, second: Any) -> int:
    (lat1, lon1), (lat2, lon2) = ([math.radians(part / 100_000) for part in place] for place in (first, second))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return round(2 * _EARTH_METRES * math.asin(math.sqrt(min(half, 1))))


def _outliers(known: Registers) -> list[Any]:
    """CLM-41: the first line of people who have far more of a service than others."""
    people = _by([line for line in known.lines if recipient_of(line) and line.service], _visit)
    units = {key: sum(line.units_milli for line in lines) for key, lines in people.items()}
    count, total, squares = Counter[int](), Counter[int](), Counter[int]()
    for (_recipient, service), value in units.items():
        count[service] += 1
        total[service] += value
        squares[service] += value * value
    found = []
    for key, lines in people.items():
        n, whole, month = count[key[1]], total[key[1]], lines[0].claim.period
        sigma = known.figure("claim.outlier_sigma", month)
        above = n * units[key] - whole
        far = above > 0 and above * above > sigma * sigma * (n * squares[key[1]] - whole * whole)
        if far and n >= known.figure("claim.outlier_recipients_min", month):
            found.append(lines[0])
    return found


def _visit(line: Any) -> tuple[Any, Any]:
    return recipient_of(line), line.service_id


def _round_hours(known: Registers) -> list[Any]:
    """CLM-42: the first line of a worker on a claim whose visits begin and end in full hours, or all alike."""
    timed = [line for line in known.lines if line.worker and times_of(line, known)]
    found = []
    for lines in _by(timed, lambda line: (line.claim_id, line.worker_id)).values():
        month, visits = lines[0].claim.period, len(lines)
        if visits < known.figure("claim.round_hours_visits_min", month):
            continue
        rounded = sum(_is_full(line.starts_at) and _is_full(line.ends_at) for line in lines)
        alike = len({line.starts_at.astimezone(known.utc).time() for line in lines}) == 1
        if alike or rounded * 100 > visits * known.figure("claim.round_hours_pct", month):
            found.append(lines[0])
    return found


def _is_full(when: Any) -> bool:
    return not (when.minute or when.second or when.microsecond)
