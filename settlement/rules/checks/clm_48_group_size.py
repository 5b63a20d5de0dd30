"""CLM-48: a group is no larger than its norm."""

from __future__ import annotations

import numpy as np

from settlement.rules.facts import Ints, Mask
from settlement.rules.frame import Frame

CODE = "CLM-48"
SEVERITY = "C"
TITLE = "Group larger than its norm"
ADVICE = "Split the group, or claim the part of the units that the norm allows."


def find(frame: Frame) -> Mask:
    """The claims name more people for the visit than group_size_max."""
    norm = frame.service_limit("group_size_max")
    return (norm > 0) & (frame.own.participants > norm)


def units(frame: Frame) -> Ints:
    """Thousandths taken: what is beyond claimed units x norm / participants, the kept part rounded down."""
    people = np.maximum(frame.own.participants, 1)
    kept = frame.units * np.minimum(frame.service_limit("group_size_max"), people) // people
    return np.where(find(frame), frame.units - kept, 0)


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """People in the group and its norm."""
    return {
        "people": [str(value) for value in frame.own.participants[rows].tolist()],
        "norm": [str(value) for value in frame.service_limit("group_size_max")[rows].tolist()],
    }
