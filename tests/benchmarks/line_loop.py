"""The same checks the slow way: line by line over objects of the ORM, every look-up in dictionaries made beforehand.

No queries inside the loop, no amounts: only which line meets which check. Of the checks these sixteen; a line that is
rejected or waits is not cut for its steps (CLM-15), as in the rules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from tests.benchmarks.adjudicate_lines import timed

CHECKS = (
    *("CLM-01", "CLM-03", "CLM-04", "CLM-05", "CLM-06", "CLM-07", "CLM-08", "CLM-09", "CLM-10", "CLM-11"),
    *("CLM-15", "CLM-16", "CLM-17", "CLM-20", "CLM-25", "CLM-26"),
)
_REJECTING = frozenset(CHECKS) - {"CLM-15", "CLM-16", "CLM-17"}
Found = tuple[int, str]


class Registers:
    """What the loop looks up, loaded before its clock starts."""

    def __init__(self) -> None:
        from contracts.models import ContractLine, NormCost, ProviderSuspension, WorkerQualification
        from settlement.models import ClaimLine
        from vouchers.models import (
            CertificateLine,
            CertificateSuspension,
            FeeAssessment,
            PlanLine,
            RecipientResidence,
        )

        joins = ("claim__provider", "claim__contract", "certificate__recipient", "service", "worker", "redemption")
        order = ("service_date", "starts_at", "claim__submitted_at", "claim__number", "line")
        self.lines: list[Any] = list(ClaimLine.objects.select_related(*joins).order_by(*order))
        self.contract_lines = _grouped(ContractLine.objects.all(), "contract_id", "service_id")
        self.norms = _grouped(
            NormCost.objects.filter(status="approved"), "service_id", "territory_id", "recipient_class"
        )
        self.stops = _grouped(ProviderSuspension.objects.all(), "provider_id")
        self.qualified = _grouped(WorkerQualification.objects.all(), "worker_id", "service_id")
        self.covered = _grouped(CertificateLine.objects.all(), "certificate_id", "service_id")
        self.pauses = _grouped(CertificateSuspension.objects.all(), "certificate_id")
        self.fees = _grouped(FeeAssessment.objects.all(), "recipient_id")
        self.plans = _grouped(PlanLine.objects.all(), "recipient_id", "service_id")
        self.homes = _grouped(RecipientResidence.objects.all(), "recipient_id")


def _grouped(rows: Iterable[Any], *names: str) -> dict[tuple[Any, ...], list[Any]]:
    found = defaultdict(list)
    for row in rows:
        found[tuple(getattr(row, name) for name in names)].append(row)
    return found


def _holds(row: Any, day: date, first: str = "valid_from", last: str = "valid_to") -> bool:
    start, end = getattr(row, first), getattr(row, last)
    return (start is None or start <= day) and (end is None or day < end)


def _in_force(rows: list[Any], day: date) -> Any:
    held = [row for row in rows if _holds(row, day)]
    return max(held, key=lambda row: row.valid_from or date.min) if held else None


def loop(known: Registers) -> list[Found]:
    """Line and check of every finding."""
    found: list[Found] = []
    visits: set[Any] = set()
    for line in known.lines:
        codes = {code for code, fires in _RULES.items() if fires(line, known)}
        if not codes & _REJECTING:
            visit = (line.certificate.recipient_id, line.service_id, line.starts_at, line.worker_id)
            # Of the same visit, or of the same evidence, only the first line is paid.
            if visit in visits or line.redemption_id in visits:
                codes.add("CLM-20")
            visits |= {visit, line.redemption_id}
        if not codes & _REJECTING and line.units_milli % int(line.service.granularity * 1000):
            codes.add("CLM-15")
        found += [(line.pk, code) for code in codes]
    return found


def _amount_or_times(line: Any, _known: Registers) -> bool:
    product = line.units_milli * line.unit_rate_e4
    wrong = line.amount_e4 != (product + 50_000) // 100_000 * 100
    return bool(wrong or (line.starts_at and line.ends_at and line.ends_at <= line.starts_at))


def _provider(line: Any, known: Registers) -> bool:
    provider, day = line.claim.provider, line.service_date
    stopped = any(_holds(row, day, "from_date", "to_date") for row in known.stops[provider.pk,])
    return stopped or not _holds(provider, day, "active_from", "active_to")


def _contract(line: Any, _known: Registers) -> bool:
    contract = line.claim.contract
    return (
        contract is None
        or contract.provider_id != line.claim.provider_id
        or contract.status != "active"
        or not _holds(contract, line.service_date)
    )


def _rate_of(line: Any, known: Registers) -> Any:
    return _in_force(known.contract_lines[line.claim.contract_id, line.service_id], line.service_date)


def _norm_of(line: Any, known: Registers) -> Any:
    home = _in_force(known.homes[line.certificate.recipient_id,], line.service_date)
    places, kinds = ((home.territory_id, None), (home.recipient_class, "")) if home else ((None,), ("",))
    for place in places:
        for kind in kinds:
            norm = _in_force(known.norms[line.service_id, place, kind], line.service_date)
            if norm:
                return norm
    return None


def _certificate(line: Any, known: Registers) -> bool:
    certificate, day = line.certificate, line.service_date
    ended = certificate.status in ("cancelled", "replaced") and certificate.status_from <= day
    paused = any(_holds(row, day, "from_date", "to_date") for row in known.pauses[certificate.pk,])
    uncovered = not known.covered[certificate.pk, line.service_id]
    return ended or paused or uncovered or not _holds(certificate, day)


def _evidence(line: Any, _known: Registers) -> bool:
    visit = line.redemption
    return (
        visit is None
        or visit.status != "confirmed"
        or visit.certificate_id != line.certificate_id
        or visit.service_id != line.service_id
        or visit.provider_id != line.claim.provider_id
        or visit.worker_id != line.worker_id
        or visit.units_milli != line.units_milli
    )


def _worker(line: Any, known: Registers) -> bool:
    worker = line.worker
    return (
        worker is None
        or worker.provider_id != line.claim.provider_id
        or _in_force(known.qualified[worker.pk, line.service_id], line.service_date) is None
    )


def _above(line: Any, limit: Any) -> bool:
    return limit is not None and line.unit_rate_e4 > Decimal(limit) * 10_000


def _above_norm(line: Any, known: Registers) -> bool:
    norm, rate = _norm_of(line, known), _rate_of(line, known)
    # The contract's rate has been taken before.
    return norm is None or (_above(line, norm.unit_rate) and not (rate and rate.unit_rate <= norm.unit_rate))


_RULES: dict[str, Callable[[Any, Registers], bool]] = {
    "CLM-01": _amount_or_times,
    "CLM-03": _provider,
    "CLM-04": _contract,
    "CLM-05": lambda line, known: line.claim.contract is not None and _rate_of(line, known) is None,
    "CLM-06": lambda line, known: line.service is None,
    "CLM-07": lambda line, known: line.certificate is None,
    "CLM-08": lambda line, known: _in_force(known.fees[line.certificate.recipient_id,], line.service_date) is None,
    "CLM-09": lambda line, known: (
        not line.service.one_off
        and _in_force(known.plans[line.certificate.recipient_id, line.service_id], line.service_date) is None
    ),
    "CLM-10": _certificate,
    "CLM-11": _evidence,
    "CLM-16": lambda line, known: _above(line, getattr(_rate_of(line, known), "unit_rate", None)),
    "CLM-17": _above_norm,
    "CLM-25": _worker,
    "CLM-26": lambda line, known: (
        line.certificate.recipient.death_date is not None and line.service_date >= line.certificate.recipient.death_date
    ),
}


def compare(run: Callable[[], None]) -> tuple[float, int]:
    """Seconds of the loop alone and its findings, which are those of the run for these checks.

    Raises: AssertionError when they are not.
    """
    from settlement.models import Finding

    known, found = Registers(), []
    seconds = timed(lambda: found.extend(loop(known)))
    run()
    stored = Finding.objects.filter(check_code__in=CHECKS).values_list("claim_line_id", "check_code")
    assert sorted(found) == sorted(stored)
    return seconds, len(found)
