"""CLM-29: nobody else pays for the service."""

from __future__ import annotations

import numpy as np
import pandas as pd

from settlement.rules.checks.kit import first_reason
from settlement.rules.facts import Ints, Mask, column
from settlement.rules.frame import Frame
from settlement.rules.integers import write_days
from settlement.rules.lookup import Register, with_day

CODE = "CLM-29"
SEVERITY = "R"
TITLE = "Service paid twice"
ADVICE = "The case worker finds out who pays; the claim is for one of the payers only."


def find(frame: Frame) -> Mask:
    """Somebody else pays the service, or one that it excludes, on the date; or one that it excludes is claimed before.

    Claimed before: on a line of an earlier run with allowed units, or on an earlier line of this run that no check of
    the line alone rejects.
    """
    funded, excluded = (mask for _, mask in frame.once(_reasons))
    return funded | excluded


def _reasons(frame: Frame) -> list[tuple[str, Mask]]:
    return [("funded", _funded(frame)), ("excluded", _excluded(frame))]


def _funded(frame: Frame) -> Mask:
    table = frame.facts.other_funding
    excluding = table.merge(frame.facts.incompatible_services, left_on="service", right_on="other", how="inner")
    excluding = excluding.drop(columns=["service_x", "other"]).rename(columns={"service_y": "service"})
    whole = pd.concat([table, excluding[table.columns]], ignore_index=True).astype("int64")
    return frame.own.covered(whole, frame.own.visits(whole), frame.visit_key)


def _excluded(frame: Frame) -> Mask:
    result = np.zeros(frame.size, dtype=bool)
    pairs = frame.facts.incompatible_services
    if pairs.empty:
        return result
    services, days = frame.service_rows(column(pairs, "service")), len(frame.facts.services)
    others = frame.service_rows(column(pairs, "other"))
    past = with_day(frame.past_visit_key, frame.past("service_date"))
    here = with_day(frame.visit_key, frame.service_date)
    rows = np.flatnonzero(frame.own.clean & (here >= 0))
    visits, first = np.unique(here[rows], return_index=True)
    paid, claimed = Register(np.unique(past[past >= 0])), Register(visits)
    known = [two for two in zip(services.tolist(), others.tolist(), strict=True) if min(two) >= 0]
    for service, other in known:
        mine = np.flatnonzero((frame.service_row == service) & (frame.recipient_row >= 0))
        wanted = with_day(frame.recipient_row[mine] * max(days, 1) + other, frame.service_date[mine])
        place = claimed.rows(wanted)
        earlier = (place >= 0) & (rows[first[np.maximum(place, 0)]] < mine) if len(rows) else place >= 0
        result[mine] |= earlier | (paid.rows(wanted) >= 0)
    return result


def explain(frame: Frame, rows: Ints) -> dict[str, list[str]]:
    """The service date, and whether another payer or another service stands against it."""
    return {"date": write_days(frame.service_date[rows]), "why": first_reason(_reasons, frame, rows)}
