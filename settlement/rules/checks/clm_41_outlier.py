"""CLM-41: somebody has far more of a service than others."""

from __future__ import annotations

import numpy as np

from settlement.rules.facts import Ints, Mask
from settlement.rules.frame import Frame
from settlement.rules.integers import write_units
from settlement.rules.parameters import OUTLIER_RECIPIENTS, OUTLIER_SIGMA
from settlement.rules.statistics import Groups, groups_of, outliers

CODE = "CLM-41"
SEVERITY = "W"
TITLE = "Far more units than others have"
ADVICE = "Look at the individual plan: a heavy case is the usual reason."


def find(frame: Frame) -> Mask:
    """Units of the recipient and service in this run lie above the mean of the service + claim.outlier_sigma standard
    deviations, among at least claim.outlier_recipients_min recipients. Stands on the first line.
    """
    people, units = _claimed(frame)
    days, on = frame.period_start[people.first], frame.parameters.on
    services = frame.service_row[people.first]
    far = outliers(units, services, on(OUTLIER_SIGMA, days), on(OUTLIER_RECIPIENTS, days))
    return people.marks(far, frame.size)


def _claimed(frame: Frame) -> tuple[Groups, Ints]:
    people = groups_of(frame.visit_key, frame.own.whole)
    return people, people.sums(frame.units[people.rows])


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """Units of the recipient, the mean of the service and how many recipients it is taken of."""
    if not len(rows):
        return {"units": [], "mean": [], "recipients": []}
    people, units = _claimed(frame)
    services, index, counts = np.unique(frame.service_row[people.first], return_inverse=True, return_counts=True)
    totals = np.zeros(len(services), dtype=np.int64)
    np.add.at(totals, index, units)
    sample = np.searchsorted(services, frame.service_row[rows])
    return {
        "units": write_units(people.spread(units, frame.size)[rows]),
        "mean": write_units(totals[sample] // counts[sample]),
        "recipients": [str(count) for count in counts[sample].tolist()],
    }
