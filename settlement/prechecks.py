"""A claim before it is submitted, judged by the same engine as if it were submitted now; nothing is written.

Claims of its provider that wait for the same run are judged with it. Those of others are not: what they claim is theirs
until it is decided, and may still change the result.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import pandas as pd
from django.db import connection

from config.clock import local_date
from config.transactions import nothing_kept
from settlement.claim_letter import in_words
from settlement.explanations import LineExplained, explain_lines
from settlement.facts_queries import read_facts
from settlement.judging import Law, law_of
from settlement.line_queries import OUTCOMES, JudgedLine, LineHistory, line_sources
from settlement.models import Adjudication, AdjudicationRun, Claim, ClaimLine, Finding
from settlement.rules.adjudicate import FIGURES, AdjudicationResult, adjudicate
from settlement.rules.facts import Facts
from settlement.rules.figures import LINE_FIGURES
from settlement.run_queries import following_number, submitted_claims
from settlement.run_tables import create_run_tables
from settlement.term_queries import restored_term

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, eq=False)
class Precheck:
    """What the next run would make of a claim. ``run`` is not stored; tables as in ``AdjudicationResult``."""

    claim: Claim
    run: AdjudicationRun
    adjudications: pd.DataFrame
    findings: pd.DataFrame

    @cached_property
    def counts(self) -> dict[str, int]:
        """Lines by outcome."""
        found = self.adjudications["outcome"].astype("object").value_counts()
        return {code: int(found[code]) for code in OUTCOMES if code in found}

    @cached_property
    def totals(self) -> dict[str, int]:
        """Figures of the claim, minor units."""
        return {name: int(self.adjudications[name].sum()) for name in FIGURES}

    @cached_property
    def checks(self) -> list[dict[str, Any]]:
        """What each check would take, in the order in which checks take, with its title; minor units."""
        amounts = self.findings["amount"].to_numpy()
        rows = self.findings[["check", "severity"]].astype("object").assign(amount=amounts, took=amounts > 0)
        sums = rows.groupby(["check", "severity"]).agg(
            lines=("took", "sum"), found=("took", "count"), taken=("amount", "sum")
        )
        of_checks: Any = sums.astype(int).reset_index().itertuples()
        return in_words(
            {
                "check_code": row.check,
                "severity": row.severity,
                "lines": row.lines,
                "found": row.found,
                "taken": row.taken,
            }
            for row in of_checks
        )

    def lines_of(self, outcome: str) -> list[int]:
        """Ids of the lines with an outcome, of all lines without one."""
        rows = self.adjudications
        return list((rows[rows["outcome"] == outcome] if outcome else rows)["id"])

    def explain(self, lines: Iterable[ClaimLine]) -> list[LineExplained]:
        """Lines of the claim in the words that they would have after the run."""
        rows = list(lines)
        keys = [line.pk for line in rows]
        decided = self.adjudications[self.adjudications["id"].isin(keys)].set_index("id")
        found = self.findings[self.findings["id"].isin(keys)]
        histories = [
            LineHistory(line, (self._judged(line, decided.loc[line.pk], found[found["id"] == line.pk]),))
            for line in rows
        ]
        return explain_lines(histories, line_sources(self.claim.organisation_id, rows))

    def _judged(self, line: ClaimLine, decided: Any, found: pd.DataFrame) -> JudgedLine:
        figures = {name: int(decided[name]) for name in LINE_FIGURES}
        adjudication = Adjudication(
            run=self.run, claim=self.claim, claim_line=line, outcome=str(decided["outcome"]), **figures
        )
        return JudgedLine(adjudication, tuple(self._finding(line, row) for row in found.itertuples()))

    def _finding(self, line: ClaimLine, row: Any) -> Finding:
        return Finding(
            run=self.run,
            claim_line=line,
            check_code=str(row.check),
            severity=str(row.severity),
            units=int(row.units),
            amount=int(row.amount),
            detail=json.loads(row.detail),
        )


def precheck(claim: Claim, *, at: datetime) -> Precheck:
    """Judge a draft or a returned claim as if it were submitted now.

    Raises: InvalidMove for any other claim, ParameterUnreadable.
    """
    claim.check_move("submitted")
    law = law_of(claim.organisation, claim.period, at)
    number = following_number(claim.organisation, claim.period)
    result = _judge(claim, number, law, at)
    own = [table[table["claim"] == claim.pk] for table in (result.adjudications, result.findings)]
    run = AdjudicationRun(
        organisation=claim.organisation,
        period=claim.period,
        number=number,
        as_of=local_date(at, claim.organisation.zone),
        parameters=law.versions,
        known_at=at,
    )
    return Precheck(claim, run, own[0].sort_values("line"), own[1])


def _judge(claim: Claim, number: int, law: Law, at: datetime) -> AdjudicationResult:
    waiting = submitted_claims(claim.organisation, at).filter(period=claim.period, provider=claim.provider)
    scope: dict[str, Any] = {
        "organisation": claim.organisation_id,
        "zone": claim.organisation.zone,
        "run": number,
        "fresh": [*waiting.values_list("pk", flat=True), claim.pk],
        "cleared": [],
        "before": None,
        "known_at": at,
    }
    with nothing_kept(), connection.cursor() as cursor:
        create_run_tables(cursor, scope, near=True)
        # From here on the database itself refuses to write.
        cursor.execute("SET TRANSACTION READ ONLY")
        facts = read_facts(cursor, scope)
    return adjudicate(_submitted_now(facts, claim, at), parameters=law.parameters)


def _submitted_now(facts: Facts, claim: Claim, at: datetime) -> Facts:
    """The facts with the claim handed in at a moment, late or not; a term that was given back it keeps."""
    if restored_term(claim):
        return facts
    day = local_date(at, claim.organisation.zone)
    claims = facts.claims.copy()
    mine = claims["claim"] == claim.pk
    claims.loc[mine, "submitted_at"] = (at - _EPOCH) // timedelta(microseconds=1)
    claims.loc[mine, "submitted_on"] = (day - _EPOCH.date()).days
    return replace(facts, claims=claims)
