"""What a package tells of runs before the one whose facts it carries: they stand as they were decided, unjudged."""

# ruff: noqa: S608  SQL is put together from names in this code; every value is a parameter.

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.errors import DomainError
from settlement.bulk import read_integers
from settlement.facts_queries import detail_object
from settlement.rules.adjudicate import OUTCOMES, AdjudicationResult, completed
from settlement.rules.facts import Facts
from settlement.rules.findings import CUT, PEND, REJECT, WARN


class DecidedIncomplete(DomainError):
    """A package does not tell all of a run that it tells of."""

    code = "DECIDED_INCOMPLETE"
    message = _(
        "The package tells how run %(run)s was decided, but not as a whole: line %(line)s of claim %(claim)s is "
        "missing, or its amounts do not add up. Have the package exported again."
    )


class DecidedRunWaits(DomainError):
    """Runs of a package are played in the order in which they were made."""

    code = "DECIDED_RUN_WAITS"
    message = _(
        "Run %(run)s of the imported package came before and is not played yet. Play it first: "
        "manage.py settle plays such runs by itself, in their order, once their claims are in time by the chosen day."
    )


@dataclass(frozen=True, eq=False)
class Decided:
    """Decisions and findings of the lines of a run, as ``AdjudicationResult`` has them, without words for checks."""

    lines: pd.DataFrame
    findings: pd.DataFrame


_TOLD = """
SELECT EXISTS (SELECT 1 FROM settlement_decidedrun d JOIN settlement_claim k
        ON k.organisation_id = d.organisation_id AND k.period = d.period
    WHERE d.organisation_id = %(organisation)s AND d.run = %(run)s AND k.id IN (SELECT claim_id FROM run_claim))
"""
# Rounded once, half up; a line that the package does not tell of has no outcome.
_CASES = " ".join(f"WHEN '{name}' THEN {place}" for place, name in enumerate(OUTCOMES))
_TAKEN = """COALESCE((SELECT sum(f.amount) FROM settlement_decidedfinding f
    WHERE f.claim_line_id = l.id AND f.run = %(run)s AND f.severity IN ({0})), 0)"""
_LINES = f"""
SELECT l.id, l.claim_id AS claim, l.line, l.units_milli AS units_claimed, COALESCE(d.units_allowed, 0) AS units_allowed,
    l.unit_rate_e4 AS rate_claimed, COALESCE(d.rate_allowed, 0) AS rate_allowed,
    div(l.units_milli::numeric * l.unit_rate_e4 + 50000, 100000) AS amount_claimed,
    {_TAKEN.format(f"'{REJECT}', '{CUT}'")} AS reductions, {_TAKEN.format(f"'{PEND}'")} AS pended,
    COALESCE(d.gross, 0) AS gross, COALESCE(d.fee, 0) AS fee, COALESCE(d.gross - d.fee, 0) AS payable,
    CASE d.outcome {_CASES} ELSE -1 END AS outcome, 0 AS reversal
FROM run_line l LEFT JOIN settlement_decidedline d ON d.claim_line_id = l.id AND d.run = %(run)s
ORDER BY l.id
"""
_LINE = ("id", "claim", "line", "units_claimed", "units_allowed", "rate_claimed", "rate_allowed", "amount_claimed",
         "reductions", "pended", "gross", "fee", "payable", "outcome", "reversal")  # fmt: skip
_FINDINGS = """
SELECT l.id, l.claim_id, l.line, f.check_code, f.severity, f.units, f.amount, f.detail
FROM settlement_decidedfinding f JOIN run_line l ON l.id = f.claim_line_id
WHERE f.run = %(run)s ORDER BY l.id, f.check_code
"""
_FINDING = ("id", "claim", "line", "check", "severity", "units", "amount", "detail")


def read_decided(cursor: CursorWrapper, params: dict[str, Any]) -> Decided | None:
    """What a package tells of the run whose temporary tables stand; None when it tells nothing.

    ``params``: organisation, run.
    """
    cursor.execute(_TOLD, params)
    if not cursor.fetchone()[0]:
        return None
    lines = read_integers(cursor, _LINES, _LINE, params)
    cursor.execute(_FINDINGS, params)
    rows = [(*row[:-1], detail_object(row[-1])) for row in cursor.fetchall()]
    return Decided(lines, pd.DataFrame(rows, columns=list(_FINDING)))


def as_decided(facts: Facts, decided: Decided, run: int) -> AdjudicationResult:
    """The run as it was decided; what claims that it takes back and offsets do follows from that.

    Raises: DecidedIncomplete when a line is not told of, or its parts are not what was claimed.
    """
    lines = decided.lines
    whole = lines["reductions"] + lines["pended"] + lines["gross"] == lines["amount_claimed"]
    _require(facts, lines[~whole | (lines["outcome"] < 0)], run)
    words = pd.Categorical.from_codes(lines["outcome"].to_numpy(), categories=pd.Index(OUTCOMES))
    return completed(facts, lines.assign(outcome=words), _categorised(decided.findings))


def _require(facts: Facts, bad: pd.DataFrame, run: int) -> None:
    if bad.empty:
        return
    row = bad.iloc[0]
    numbers = facts.claims.set_index("claim")["number"]
    raise DecidedIncomplete(run=run, line=int(row["line"]), claim=numbers[row["claim"]])


def _categorised(findings: pd.DataFrame) -> pd.DataFrame:
    numbers = {name: findings[name].astype(np.int64) for name in ("id", "claim", "line", "units", "amount")}
    words = {
        "check": pd.Categorical(findings["check"], categories=sorted(set(findings["check"]))),
        "severity": pd.Categorical(findings["severity"], categories=[REJECT, PEND, CUT, WARN]),
    }
    return findings.assign(**numbers, **words)


# Of a run: claims of its number that wait, or lines given back to it that wait for a judgement or for a person.
_WAITING = """
SELECT d.period, d.run FROM settlement_decidedrun d
WHERE d.organisation_id = %(organisation)s
  AND NOT EXISTS (SELECT 1 FROM settlement_adjudicationrun n
      WHERE n.organisation_id = d.organisation_id AND n.period = d.period AND n.number = d.run)
  AND (EXISTS (SELECT 1 FROM settlement_claim k WHERE k.organisation_id = d.organisation_id
          AND k.period = d.period AND k.run = d.run AND k.status = 'submitted')
    OR EXISTS (SELECT 1 FROM settlement_decidedline t
        JOIN settlement_clearance x ON x.claim_line_id = t.claim_line_id AND x.run <= d.run
        JOIN settlement_claimline l ON l.id = t.claim_line_id JOIN settlement_claim k ON k.id = l.claim_id
        WHERE t.run = d.run AND k.organisation_id = d.organisation_id AND k.period = d.period
          AND (k.status = 'submitted' OR (SELECT a.outcome FROM settlement_adjudication a
              WHERE a.claim_line_id = l.id AND a.claim_id = k.id ORDER BY a.id DESC LIMIT 1) = 'pended')))
ORDER BY d.turn
"""


def decided_runs_waiting(organisation: Organisation) -> list[tuple[date, int]]:
    """Months and numbers of runs that a package tells of and that are still to be played, in their order.

    One whose claims have all been withdrawn or returned has nothing to play: nobody waits for it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, {"organisation": organisation.pk})
        return cursor.fetchall()


def require_turn(organisation: Organisation, period: date, run: int) -> None:
    """Raises: DecidedRunWaits when a package tells of a run that was made before this one and is not played yet."""
    waiting = decided_runs_waiting(organisation)
    if waiting and waiting[0] != (period, run):
        first, number = waiting[0]
        raise DecidedRunWaits(run=f"{first:%Y-%m}/{number}")
