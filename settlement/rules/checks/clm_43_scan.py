"""CLM-43: the recipient's code was read at the visit."""

from __future__ import annotations

from settlement.rules.checks.kit import first_reason
from settlement.rules.facts import HOUR, NO_TIME, Ints, Mask
from settlement.rules.frame import Frame
from settlement.rules.parameters import SCAN_DELAY, SCAN_DISTANCE

CODE = "CLM-43"
SEVERITY = "P"
TITLE = "Scan far from the visit or long after it"
ADVICE = "Ask the worker and, if need be, the recipient; a weak signal is the usual reason."


def find(frame: Frame) -> Mask:
    """The scan was farther from the address than claim.geo_distance_m, or later than claim.scan_delay_hours after it.

    "After it": after the end of the visit, or its start where no end is written.
    """
    far, late = (mask for _, mask in frame.once(_reasons))
    return far | late


def _reasons(frame: Frame) -> list[tuple[str, Mask]]:
    on = frame.parameters.on
    far = frame.own.scan("distance") > on(SCAN_DISTANCE, frame.service_date)
    return [("far", far), ("late", _delay(frame) > on(SCAN_DELAY, frame.service_date) * HOUR)]


def _delay(frame: Frame) -> Ints:
    """Microseconds between the visit and the scan, 0 where one of them is unknown."""
    visit = frame.ends_at.copy()
    visit[visit == NO_TIME] = frame.starts_at[visit == NO_TIME]
    scanned = frame.own.scan("scanned_at", NO_TIME)
    known = (visit != NO_TIME) & (scanned != NO_TIME)
    visit[~known], scanned[~known] = 0, 0
    return scanned - visit


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """Metres to the address, hours after the visit, and which of them is too much."""
    distance = frame.own.scan("distance")[rows].tolist()
    return {
        "metres": [str(value) if value >= 0 else "-" for value in distance],
        "hours": [str(value // HOUR) for value in _delay(frame)[rows].tolist()],
        "why": first_reason(_reasons, frame, rows),
    }
