"""The recipient's fee on each line (interchange, point 7)."""

from __future__ import annotations

import numpy as np

from settlement.rules.facts import DIFFERENTIATED, FULL_COST, Ints, Mask, column, months_of
from settlement.rules.frame import Frame
from settlement.rules.integers import share_out
from settlement.rules.lookup import Sums, pick, with_day


def fees(frame: Frame, gross: Ints) -> Ints:
    """Fee in hundredths: 0 (mode F), the whole gross (C), a share of the month's pool (D).

    Formula: pool = min(monthly limit - fee taken for the month by earlier runs, sum of gross), never below 0.
    Source: SET-2.
    """
    table = frame.facts.fee_assessments
    mode = pick(column(table, "mode"), frame.fee_row, -1)
    bearing = (gross > 0) & ~frame.free_for_all
    result = np.where(bearing & (mode == FULL_COST), gross, 0)
    pooled = bearing & (mode == DIFFERENTIATED)
    result[pooled] = _pooled(frame, gross, pooled)
    return result


def _pooled(frame: Frame, gross: Ints, lines: Mask) -> Ints:
    """Shares of the lines in the pools of their recipients and months."""
    rows = np.flatnonzero(lines)
    weights, keys = gross[rows], with_day(frame.recipient_row[rows], frame.month[rows])
    limits = column(frame.facts.fee_assessments, "monthly_limit")[frame.fee_row[rows]]
    taken = Sums(with_day(frame.past_recipient_row, months_of(frame.past("service_date"))), frame.past("fee")).of(keys)
    pools = np.clip(limits - taken, 0, Sums(keys, weights).of(keys))
    return share_out(pools, weights, keys)
