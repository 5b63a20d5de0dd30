"""Checks of the loop that look at one line and the registers: each a function of a line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import wraps
from typing import Any, TypeVar

from tests.benchmarks.line_registers import Registers, holds, in_force

HOUR = timedelta(hours=1)
Look = TypeVar("Look", bound=Callable[..., Any])


def once(look_up: Look) -> Look:
    """A look-up of a line, made when it is first asked for and kept with the line."""
    name = f"_{look_up.__name__}"

    @wraps(look_up)
    def kept(line: Any, *known: Registers) -> Any:
        if name not in line.__dict__:
            line.__dict__[name] = look_up(line, *known)
        return line.__dict__[name]

    return kept  # type: ignore[return-value]


def money(units: int, rate: int) -> int:
    """Hundredths of thousandths x ten-thousandths, half up."""
    return (units * rate + 50_000) // 100_000


@once
def recipient_of(line: Any) -> int | None:
    """The recipient of the line's certificate, which is none before it was handed over."""
    certificate = line.certificate
    return None if certificate is None or certificate.status in ("draft", "issued") else int(certificate.recipient_id)


@once
def times_of(line: Any, known: Registers) -> bool | None:
    """Whether both times can be; None where one is not written."""
    if line.starts_at is None or line.ends_at is None:
        return None
    return bool(line.starts_at.astimezone(known.zone).date() == line.service_date and line.ends_at > line.starts_at)


@once
def submitted_on(line: Any, known: Registers) -> date:
    """The day of submission where the municipality is."""
    return known.submitted_at(line.claim).astimezone(known.zone).date()


@once
def contract_line(line: Any, known: Registers) -> Any:
    """The line of the contract in force; blank dates are the contract's."""
    contract, found = line.claim.contract, []
    for row in known.contract_lines[line.claim.contract_id, line.service_id]:
        start, end = row.valid_from or contract.valid_from, row.valid_to or contract.valid_to
        if start <= line.service_date and (end is None or line.service_date < end):
            found.append((start, row.valid_from is not None, row.pk, row))
    return max(found, key=lambda item: item[:3])[3] if found else None


@once
def norm_of(line: Any, known: Registers) -> Any:
    """The most specific norm cost: territory and class, territory, class, neither."""
    home = in_force(known.homes[recipient_of(line),], line.service_date)
    found = {}
    for row in known.norms[line.service_id,]:
        if holds(row, line.service_date):
            found[row.territory_id, row.recipient_class] = row
    place, kind = (home.territory_id, home.recipient_class) if home else (None, "")
    keys = ((place, kind), (place, ""), (None, kind), (None, ""))
    return next((found[key] for key in keys if key in found), None)


@once
def plan_of(line: Any, known: Registers) -> Any:
    """The plan line in force."""
    return in_force(known.plans[recipient_of(line), line.service_id], line.service_date)


@once
def fee_of(line: Any, known: Registers) -> Any:
    """The fee assessment in force."""
    return in_force(known.fees[recipient_of(line),], line.service_date)


def _figures(line: Any, known: Registers) -> bool:
    return line.amount_e4 != money(line.units_milli, line.unit_rate_e4) * 100 or times_of(line, known) is False


def _provider(line: Any, known: Registers) -> bool:
    provider, day = line.claim.provider, line.service_date
    stopped = any(holds(row, day, "from_date", "to_date") for row in known.stops[provider.pk,])
    return stopped or not holds(provider, day, "active_from", "active_to")


def _contract(line: Any, _known: Registers) -> bool:
    contract = line.claim.contract
    return (
        contract is None
        or contract.provider_id != line.claim.provider_id
        or contract.status != "active"
        or not holds(contract, line.service_date)
    )


def _uncontracted(line: Any, known: Registers) -> bool:
    return line.claim.contract is not None and contract_line(line, known) is None


def _unplanned(line: Any, known: Registers) -> bool:
    known_both = recipient_of(line) is not None and line.service is not None
    return known_both and not line.service.one_off and plan_of(line, known) is None


def _certificate(line: Any, known: Registers) -> bool:
    if recipient_of(line) is None:
        return False
    certificate, day = line.certificate, line.service_date
    ended = certificate.status in ("cancelled", "replaced") and (certificate.status_from or date.min) <= day
    paused = any(holds(row, day, "from_date", "to_date") for row in known.pauses[certificate.pk,])
    uncovered = (certificate.pk, line.service_id) not in known.covered
    return ended or paused or uncovered or not holds(certificate, day)


def _no_norm(line: Any, known: Registers) -> bool:
    return recipient_of(line) is not None and line.service is not None and norm_of(line, known) is None


def _worker(line: Any, known: Registers) -> bool:
    worker = line.worker
    return (
        worker is None
        or worker.provider_id != line.claim.provider_id
        or in_force(known.qualified[worker.pk, line.service_id], line.service_date) is None
    )


def _dead(line: Any, _known: Registers) -> bool:
    death = line.certificate.recipient.death_date if recipient_of(line) else None
    return death is not None and line.service_date > death


def _in_stay(line: Any, known: Registers) -> bool:
    if line.service is None or line.service.form != "home":
        return False
    one, day = timedelta(days=1), line.service_date
    stays = [row for row in known.absences[recipient_of(line),] if row.kind in ("hospital", "residential")]
    return any(row.from_date < day and (row.to_date is None or day < row.to_date - one) for row in stays)


def _away(line: Any, known: Registers) -> bool:
    stays = [row for row in known.absences[recipient_of(line),] if row.kind == "away"]
    return any(holds(row, line.service_date, "from_date", "to_date") for row in stays)


def _period(line: Any, known: Registers) -> bool:
    day = line.service_date
    return day.replace(day=1) != line.claim.period or day > submitted_on(line, known)


def _late(line: Any, known: Registers) -> bool:
    """Not for December, whose last day is another one."""
    month = line.claim.period
    end = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return submitted_on(line, known) > end + timedelta(days=int(known.figure("claim.window_days", end)))


ALONE: dict[str, Callable[[Any, Registers], bool]] = {
    "CLM-01": _figures,
    "CLM-03": _provider,
    "CLM-04": _contract,
    "CLM-05": _uncontracted,
    "CLM-06": lambda line, _known: line.service is None,
    "CLM-07": lambda line, _known: recipient_of(line) is None,
    "CLM-08": lambda line, known: recipient_of(line) is not None and fee_of(line, known) is None,
    "CLM-09": _unplanned,
    "CLM-10": _certificate,
    "CLM-17": _no_norm,
    "CLM-25": _worker,
    "CLM-26": _dead,
    "CLM-27": _in_stay,
    "CLM-28": _away,
    "CLM-31": _period,
    "CLM-32": _late,
}


def _evidence(line: Any, _known: Registers) -> bool:
    visit = line.redemption
    return visit is None or (
        visit.status != "confirmed"
        or visit.certificate_number != line.certificate_number
        or visit.service_code != line.service_code
        or visit.provider_code != line.claim.provider.code
        or visit.worker_code != line.worker_code
        or visit.units_milli != line.units_milli
    )


def _no_act(line: Any, known: Registers) -> bool:
    needed = any(holds(row, line.service_date) for row in known.evidence_needed[line.service_id,])
    return needed and not known.attachments["signed_act", f"settlement.claim:{line.claim_id}"]


def collected(line: Any, known: Registers) -> int | None:
    """What the provider reports to have collected of the recipient."""
    row = known.fee_reports.get((line.claim_id, recipient_of(line)))
    return None if row is None else int(row.collected_minor)


def _above_limit(line: Any, known: Registers) -> bool:
    fee, taken = fee_of(line, known), collected(line, known)
    return bool(fee and taken is not None and fee.mode == "D" and taken > Decimal(fee.monthly_limit or 0) * 100)


def _for_free(line: Any, known: Registers) -> bool:
    fee, taken = fee_of(line, known), collected(line, known)
    if not taken:
        return False
    only_free = line.service is not None and line.service.free_for_all
    return bool(fee and fee.mode == "F") or (only_free and (line.claim_id, recipient_of(line)) not in known.bearing)


def _scan(line: Any, known: Registers) -> bool:
    scan = getattr(line.redemption, "scan", None)
    if scan is None:
        return False
    day, end = line.service_date, line.ends_at or line.starts_at
    far = scan.distance_m is not None and scan.distance_m > known.figure("claim.geo_distance_m", day)
    delay = int(known.figure("claim.scan_delay_hours", day)) * HOUR
    return far or (end is not None and scan.scanned_at - end > delay)


def _new_account(line: Any, known: Registers) -> bool:
    day = submitted_on(line, known)
    for row in known.accounts[line.claim.provider_id,]:
        term = timedelta(days=int(known.figure("claim.bank_account_hold_days", row.since)))
        if row.since <= day < row.since + term:
            return True
    return False


# These ask a person.
PENDS: dict[str, Callable[[Any, Registers], bool]] = {
    "CLM-11": _evidence,
    "CLM-26": lambda line, _known: (
        recipient_of(line) is not None and line.service_date == line.certificate.recipient.death_date
    ),
    "CLM-34": _no_act,
    "CLM-37": _above_limit,
    "CLM-38": _for_free,
    "CLM-43": _scan,
    "CLM-44": _new_account,
    "CLM-49": lambda line, known: line.redemption_id in known.complaints,
}


def _state_task(line: Any, known: Registers) -> bool:
    rows = known.tasks[line.claim.provider_id, line.service_id]
    return any(holds(row, line.service_date) and row.recipient_id in (None, recipient_of(line)) for row in rows)


def _emergency(line: Any, known: Registers) -> bool:
    rows = [row for row in known.emergencies[recipient_of(line), line.service_id] if row.began_on <= line.service_date]
    if not rows or plan_of(line, known) is not None:
        return False
    row = max(rows, key=lambda row: row.began_on)
    due = _working_day(row.began_on, int(known.figure("claim.emergency_act_days", row.began_on)), known)
    last = row.began_on + timedelta(days=int(known.figure("claim.emergency_days_max", row.began_on)) - 1)
    tardy = submitted_on(line, known) > due if row.act_on is None else row.act_on > due
    return tardy or line.service_date > last


def _working_day(day: date, count: int, known: Registers) -> date:
    while count > 0:
        day += timedelta(days=1)
        count -= known.calendar.get(day, day.weekday() < 5)
    return day


def _off_budget(line: Any, known: Registers) -> bool:
    items = known.grant_items[line.claim.contract_id,]
    return bool(items) and grant_item(line, known) is None


@once
def grant_item(line: Any, known: Registers) -> Any:
    """The item of the grant's budget in force."""
    items = [row for row in known.grant_items[line.claim.contract_id,] if row.service_id == line.service_id]
    return in_force(items, line.service_date)


# These reject, and are judged of claims handed in here only.
OWN: dict[str, Callable[[Any, Registers], bool]] = {
    "CLM-02": lambda line, known: line.claim_id in known.twins,
    "CLM-30": _state_task,
    "CLM-47": _emergency,
    "CLM-50": _off_budget,
}


def day_off(line: Any, known: Registers) -> bool:
    """CLM-33: the provider does not serve on that weekday."""
    row = in_force(known.schedules[line.claim.provider_id,], line.service_date)
    return bool(row and row.days_off & 1 << line.service_date.weekday())
