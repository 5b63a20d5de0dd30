"""Writing what a run made of its claims: set-wise, by COPY."""

from __future__ import annotations

import numpy as np
import pandas as pd
from django.db import connection

from config.transactions import step
from settlement.actions.run_parts import sum_up
from settlement.bulk import write_integers, write_text_rows
from settlement.models import AdjudicationRun
from settlement.rules.adjudicate import OUTCOMES, AdjudicationResult
from settlement.rules.facts import Facts, Ints, column
from settlement.rules.figures import CLAIM_FIGURES, LINE_FIGURES
from settlement.run_queries import NextRun

_ADJUDICATION = {
    "claim_id": "claim",
    "claim_line_id": "id",
    **{name: name for name in LINE_FIGURES},
}
_REMITTANCE = {
    "claim_id": "claim",
    "provider_id": "provider",
    **{name: name for name in CLAIM_FIGURES},
}
_FINDING = ("run_id", "claim_line_id", "check_code", "severity", "units", "amount", "detail")

# Opposite rows of the claims that this run takes back, those judged in it included.
_REVERSALS = """
INSERT INTO settlement_adjudication (run_id, claim_id, claim_line_id, units_claimed, units_allowed, rate_claimed,
    rate_allowed, amount_claimed, gross, fee, payable, outcome, reverses_id)
SELECT %(run)s, t.id, a.claim_line_id, a.units_claimed, a.units_allowed, a.rate_claimed, a.rate_allowed,
    -a.amount_claimed, -a.gross, -a.fee, -a.payable, a.outcome, a.id
FROM settlement_claim t JOIN settlement_adjudication a ON a.claim_id = t.reverses_id
WHERE t.id = ANY(%(fresh)s) ORDER BY a.id
"""


@step
def write_results(run: AdjudicationRun, batch: NextRun, facts: Facts, result: AdjudicationResult) -> None:
    """Adjudications, findings and remittances of a run, and their sums for what follows."""
    with connection.cursor() as cursor:
        judged = result.adjudications[result.adjudications["reversal"] == 0]
        # In the order of the lines: an index that grows at its end is several times cheaper.
        judged = judged.take(np.argsort(column(judged, "id")))
        # In one statement: its guard weighs all rows at once.
        write_integers(cursor, "settlement_adjudication", (_adjudications(run, judged, name) for name in OUTCOMES))
        cursor.execute(_REVERSALS, {"run": run.pk, "fresh": list(batch.claims)})
        write_text_rows(cursor, "settlement_finding", _FINDING, _finding_rows(run, result))
        remittances = {name: column(result.remittances, source) for name, source in _REMITTANCE.items()}
        write_integers(cursor, "settlement_remittance", [(_of_run(run, remittances), {})])
    sum_up(run, batch, facts, result)


def _adjudications(run: AdjudicationRun, judged: pd.DataFrame, outcome: str) -> tuple[dict[str, Ints], dict[str, str]]:
    rows = judged[judged["outcome"] == outcome]
    return _of_run(run, {name: column(rows, source) for name, source in _ADJUDICATION.items()}), {"outcome": outcome}


def _of_run(run: AdjudicationRun, columns: dict[str, Ints]) -> dict[str, Ints]:
    size = len(next(iter(columns.values())))
    return {"run_id": np.full(size, run.pk, dtype=np.int64), **columns}


def _finding_rows(run: AdjudicationRun, result: AdjudicationResult) -> list[str]:
    """Rows in COPY's text format; a backslash in a detail is doubled."""
    table = result.findings
    names = ("id", "check", "severity", "units", "amount", "detail")
    columns = [table[name].tolist() for name in names]
    row = f"{run.pk}\t%d\t%s\t%s\t%d\t%d\t%s"
    texts = [row % values for values in zip(*columns, strict=True)]
    return [text.replace("\\", "\\\\") for text in texts] if any("\\" in text for text in texts) else texts
