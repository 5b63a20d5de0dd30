"""What a run gave, summed up once for all that follows from it: by claim, certificate and service.

The adjudications of a run are new to the planner of the database, and the program still holds them with the lines they
were made of; so the program adds them up.
"""

# ruff: noqa: S608  SQL is put together from names in this code; every value is a parameter.

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from django.db import connection
from django.db.backends.utils import CursorWrapper

from config.transactions import step
from settlement.bulk import read_integers, write_integers
from settlement.models import AdjudicationRun
from settlement.rules.adjudicate import PENDED, AdjudicationResult
from settlement.rules.facts import BLANK, Facts, Ints, column
from settlement.rules.lookup import Register, pick
from settlement.run_queries import NextRun
from settlement.run_tables import REVERSED_LINES

# ``priced``: some line has money. ``stands``: some line is allowed or waits. ``reported``: units of visits that were
# not captured at the door. A certificate or a service that nobody knows has the number -1.
_TABLE = """
DROP TABLE IF EXISTS run_part;
CREATE TEMP TABLE run_part (claim_id bigint, certificate_id bigint, service_id bigint, priced_lines bigint,
    standing_lines bigint, gross bigint, fee bigint, payable bigint, reported bigint,
    priced boolean GENERATED ALWAYS AS (priced_lines > 0) STORED,
    stands boolean GENERATED ALWAYS AS (standing_lines > 0) STORED) ON COMMIT DROP
"""
_TAKEN_BACK = f"""
SELECT l.id, COALESCE(l.certificate_id, {BLANK}) AS certificate, COALESCE(l.service_id, {BLANK}) AS service,
    COALESCE((r.channel = 'online')::int, 0) AS online
FROM ({REVERSED_LINES}) l LEFT JOIN vouchers_redemption r ON r.id = l.redemption_id
"""
_COLUMNS = ("id", "certificate", "service", "online")
_SUMS = ("priced_lines", "standing_lines", "gross", "fee", "payable", "reported")


@step
def sum_up(run: AdjudicationRun, batch: NextRun, facts: Facts, result: AdjudicationResult) -> None:
    """Fill ``run_part`` with the sums of the run, whose temporary tables still stand.

    Money: minor units; units: thousandths. It goes with the transaction.
    """
    params: dict[str, Any] = {"organisation": run.organisation_id, "fresh": list(batch.claims)}
    with connection.cursor() as cursor:
        cursor.execute(_TABLE)
        write_integers(cursor, "run_part", [(_sums(cursor, params, facts, result.adjudications), {})])
        cursor.execute("ANALYZE run_part")


def _sums(cursor: CursorWrapper, params: dict[str, Any], facts: Facts, judged: pd.DataFrame) -> dict[str, Ints]:
    taken_back = read_integers(cursor, _TAKEN_BACK, _COLUMNS, params)
    lines = {name: np.concatenate([here, column(taken_back, name)]) for name, here in _judged_lines(facts).items()}
    rows = Register(lines["id"]).rows(column(judged, "id"))
    units, waits = column(judged, "units_allowed"), (judged["outcome"] == PENDED).to_numpy()
    signed = np.where(column(judged, "reversal") == 1, -units, units)
    table = pd.DataFrame(
        {
            "priced_lines": column(judged, "gross") != 0,
            "standing_lines": (units > 0) | waits,
            **{name: column(judged, name) for name in ("gross", "fee", "payable")},
            "reported": np.where(lines["online"][rows] == 1, 0, signed),
        }
    )
    keys = [
        column(judged, "claim"),
        *(np.maximum(lines[name][rows], BLANK) for name in ("certificate", "service")),
    ]
    return _grouped(table, keys)


def _judged_lines(facts: Facts) -> dict[str, Ints]:
    """The ``_COLUMNS`` of the lines that were judged."""
    visits = Register(column(facts.redemptions, "redemption")).rows(column(facts.lines, "redemption"))
    online = pick(column(facts.redemptions, "online"), visits, 0)
    return {name: column(facts.lines, name) for name in ("id", "certificate", "service")} | {"online": online}


def _grouped(table: pd.DataFrame, keys: list[Ints]) -> dict[str, Ints]:
    """Sums by claim, certificate and service; three numbers are one key while they are added up."""
    spans = [int(key.max(initial=BLANK)) + 2 for key in keys]
    whole = (keys[0] * spans[1] + keys[1] + 1) * spans[2] + keys[2] + 1
    sums = table.groupby(whole, sort=False)[list(_SUMS)].sum()
    rest, service = np.divmod(sums.index.to_numpy(dtype=np.int64), spans[2])
    claim, certificate = np.divmod(rest, spans[1])
    found = {"claim_id": claim, "certificate_id": certificate - 1, "service_id": service - 1}
    return found | {name: column(sums, name) for name in _SUMS}
