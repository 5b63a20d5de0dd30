"""CLM-23: a worker can get from one visit to the next."""

from __future__ import annotations

from settlement.rules.facts import HOUR, Ints, Mask
from settlement.rules.frame import Frame
from settlement.rules.integers import write_texts
from settlement.rules.parameters import TRAVEL_SPEED

CODE = "CLM-23"
SEVERITY = "W"
TITLE = "Too little time to travel between visits"
ADVICE = "Ask how the worker got there; a mistaken time or place is the usual reason."


def find(frame: Frame) -> Mask:
    """The time since the worker's visit before is shorter than the way at worker.travel_kmh_max."""
    gap, metres, _ = frame.own.journeys
    speed = frame.parameters.on(TRAVEL_SPEED, frame.service_date)
    return (metres > 0) & (gap * speed < metres * (HOUR // 1000))


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """Metres, minutes between the visits, and the line of the visit before."""
    gap, metres, previous = frame.own.journeys
    return {
        "metres": [str(value) for value in metres[rows].tolist()],
        "minutes": [str(value // (HOUR // 60)) for value in gap[rows].tolist()],
        "earlier_claim": write_texts(frame.claim_number(frame.claim[previous[rows]])),
        "earlier_line": [str(value) for value in frame.line[previous[rows]].tolist()],
    }
