"""Judging a run once more from the facts as they were known: the same to the kopiyka, or what differs and why.

Nothing is written. The rules are today's; where they are not those of the run, their fingerprints say which.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from django.db import connection, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.law_words import parameter_title, value_words
from config.templatetags.show import minor, rate, units
from settlement.bulk import read_integers
from settlement.finding_words import title_of
from settlement.judging import Law, batch_of, facts_versions, judge, law_of, rule_versions
from settlement.line_queries import JudgedLine
from settlement.models import Adjudication, AdjudicationRun, ClaimLine, Finding
from settlement.rules.adjudicate import OUTCOMES, AdjudicationResult
from settlement.rules.digest import digest_of
from settlement.rules.facts import Facts
from settlement.rules.figures import CLAIM_FIGURES, LINE_FIGURES

# More differences than that are counted and not listed.
LISTED = 200
WORDS: dict[str, Any] = {
    "row": _("the decision itself"),
    "outcome": _("outcome"),
    "units_claimed": _("units claimed"),
    "units_allowed": _("units allowed"),
    "rate_claimed": _("rate claimed"),
    "rate_allowed": _("rate allowed"),
    "amount_claimed": _("amount claimed"),
    "gross": _("amount allowed"),
    "fee": _("recipient's fee"),
    "payable": _("paid from the budget"),
    "reductions": _("reductions"),
    "pended": _("waits for a person"),
    "offsets": _("offsets"),
}
# Tables of facts in words; those that are not named here are called by their names.
FACT_WORDS: dict[str, Any] = {
    "claims": _("the claims of the run"),
    "lines": _("the lines of the claims and whom they name"),
    "lifted": _("lifted pends"),
    "given": _("findings that came with a package"),
    "services": _("the catalogue of services"),
    "norm_costs": _("norm costs"),
    "providers": _("the register of providers"),
    "provider_suspensions": _("suspensions of providers"),
    "workers": _("workers"),
    "worker_qualifications": _("qualifications of workers"),
    "contracts": _("contracts"),
    "contract_lines": _("prices of contracts"),
    "recipients": _("recipients and their deaths"),
    "residences": _("where recipients live"),
    "absences": _("absences of recipients"),
    "fee_assessments": _("decisions on fees"),
    "plan_lines": _("individual plans"),
    "certificates": _("certificates"),
    "certificate_suspensions": _("rests of certificates"),
    "certificate_lines": _("services on certificates"),
    "redemptions": _("records of visits"),
    "history": _("lines of earlier runs"),
    "certificate_used": _("what earlier runs used of certificates"),
    "plan_used": _("what earlier runs used of plans"),
    "year_used": _("what earlier runs used of yearly ceilings"),
    "contract_line_used": _("what earlier runs used of prices"),
    "contract_used": _("what earlier runs used of contracts"),
    "reversals": _("decisions that the run takes back"),
    "clawbacks": _("what providers had to give back"),
    "advances": _("advances that could be used"),
    "advances_used": _("what claims that the run takes back had used of advances"),
}


@dataclass(frozen=True)
class Difference:
    """A figure that a run stored and its replay does not give. ``line`` 0: the whole claim. Empty: there is none."""

    claim: str
    line: int
    what: str
    stored: str
    replayed: str

    @property
    def words(self) -> str:
        """What differs, in the reader's language."""
        if self.what.startswith("CLM-"):
            return f"{title_of(self.what)} ({self.what})"
        return str(WORDS[self.what])


@dataclass(frozen=True)
class Change:
    """Something that a run rested on and that is not the same now. kind: rule, parameter, fact."""

    kind: str
    name: str
    was: str
    now: str

    @property
    def words(self) -> str:
        """The change as a sentence."""
        if self.kind == "parameter":
            was, now = value_words(self.was) or "—", value_words(self.now) or "—"
            told = {"name": parameter_title(self.name), "was": was, "now": now}
            return gettext("Parameter «%(name)s»: it was %(was)s, now %(now)s.") % told
        if self.kind == "fact":
            return gettext("Records differ: %(name)s.") % {"name": FACT_WORDS.get(self.name, self.name)}
        name = title_of(self.name) if self.name.startswith("CLM-") else gettext("the program as a whole")
        told = {"name": name, "was": self.was, "now": self.now}
        return gettext("The rule «%(name)s» has another version: it was %(was)s, now %(now)s.") % told


@dataclass(frozen=True, eq=False)
class Verdict:
    """What comes of judging a run again. ``differences`` lists at most ``LISTED`` of ``differing``; ``changes``:
    records are named only where they changed the result.

    ``digest``: whether the replay has the fingerprint that the run noted of its own output.
    """

    run: AdjudicationRun
    line: ClaimLine | None
    known_at: datetime
    lines: int
    differing: int
    differences: tuple[Difference, ...]
    changes: tuple[Change, ...]
    digest: bool

    @property
    def equal(self) -> bool:
        """Whether everything stored of the run, or of the line, comes out again."""
        return not self.differing and (self.digest or self.line is not None)

    @property
    def damaged(self) -> bool:
        """Whether the replay is what the run once wrote, so that the stored rows were changed since."""
        return bool(self.differing) and self.digest

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        run = str(self.run)
        if self.equal and self.line:
            words = gettext("Line %(line)s in run %(run)s judged again comes out the same, to the last kopiyka.")
            return words % {"run": run, "line": self.line.line}
        if self.equal:
            words = gettext("Run %(run)s judged again: all %(lines)s lines come out the same, to the last kopiyka.")
            return words % {"run": run, "lines": self.lines}
        if self.damaged:
            words = gettext(
                "Run %(run)s judged again gives what it gave at first; the stored rows do not say so any more. "
                "They were changed after the run, %(count)s figures differ."
            )
            return words % {"run": run, "count": self.differing}
        words = gettext("Run %(run)s judged again gives something else: %(count)s figures differ.")
        return words % {"run": run, "count": self.differing}

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "run": str(self.run),
            "known_at": self.known_at.isoformat(),
            "lines": self.lines,
            "equal": self.equal,
            "damaged": self.damaged,
            "digest": self.run.digest,
            "digest_equal": self.digest,
            "differing": self.differing,
            "differences": [vars(row) for row in self.differences],
            "changes": [vars(row) for row in self.changes],
        }


def verdict_told(run: AdjudicationRun, line: ClaimLine, told: dict[str, Any]) -> Verdict:
    """The verdict on a line that ``as_json`` told."""
    return Verdict(
        run=run,
        line=line,
        known_at=datetime.fromisoformat(told["known_at"]),
        lines=told["lines"],
        differing=told["differing"],
        differences=tuple(Difference(**row) for row in told["differences"]),
        changes=tuple(Change(**row) for row in told["changes"]),
        digest=told["digest_equal"],
    )


@dataclass(frozen=True, eq=False)
class Replay(Verdict):
    """The same with what was read and what the rules make of it now."""

    facts: Facts
    result: AdjudicationResult
    law: Law


def replay_run(run: AdjudicationRun, *, line: ClaimLine | None = None, known_at: datetime | None = None) -> Replay:
    """Judge a run again and compare; with ``line`` only what concerns it is told.

    Time: facts and law as known when the run was made, or at ``known_at``. Opens a transaction for temporary tables.
    """
    moment = known_at or run.known_at
    law = law_of(run.organisation, run.period, moment)
    with transaction.atomic():
        facts, result = judge(run.organisation, batch_of(run), moment, law, anew=known_at is not None)
    rows = _differences(run, facts, result)
    if line is not None:
        rows = rows[(rows["id"] == line.pk) | ((rows["id"] == 0) & (rows["claim_id"] == line.claim_id))]
    same = digest_of(facts, result) == run.digest
    changes = [row for row in _changes(run, facts, law) if row.kind != "fact" or not same]
    return Replay(
        run=run,
        line=line,
        known_at=moment,
        lines=len(facts.lines),
        differing=len(rows),
        differences=tuple(_told(run, facts, rows)),
        changes=tuple(changes),
        digest=same,
        facts=facts,
        result=result,
        law=law,
    )


def judged_again(replay: Replay, line: ClaimLine) -> JudgedLine | None:
    """What a replay makes of a line, as if a run had stored it; absent when the run does not judge the line."""
    run = copy(replay.run)
    run.parameters, run.known_at = replay.law.versions, replay.known_at
    table = replay.result.adjudications
    rows = table[(table["id"] == line.pk) & (table["reversal"] == 0)]
    if rows.empty:
        return None
    row = rows.iloc[0]
    figures = {name: int(row[name]) for name in LINE_FIGURES}
    decision = Adjudication(
        run=run, claim_id=line.claim_id, claim_line=line, outcome=str(row["outcome"]), reverses=None, **figures
    )
    table = replay.result.findings
    found = [
        Finding(
            run=run,
            claim_line=line,
            check_code=str(row.check),
            severity=str(row.severity),
            units=int(str(row.units)),
            amount=int(str(row.amount)),
            detail=json.loads(str(row.detail)),
        )
        for row in table[table["id"] == line.pk].itertuples(index=False)
    ]
    return JudgedLine(decision, tuple(sorted(found, key=lambda finding: finding.check_code)))


def _differences(run: AdjudicationRun, facts: Facts, result: AdjudicationResult) -> pd.DataFrame:
    """Columns: claim_id, id (of the line, 0 for a claim), what, stored, replayed; figures as texts, absent empty."""
    parts = [
        *_of_decisions(_stored_decisions(run), result.adjudications),
        *_of_claims(run, result),
        _of_findings(run, result),
    ]
    return pd.concat(parts, ignore_index=True)


def _stored_decisions(run: AdjudicationRun) -> pd.DataFrame:
    cases = " ".join(f"WHEN '{name}' THEN {place}" for place, name in enumerate(OUTCOMES))
    query = f"""SELECT claim_line_id AS id, claim_id AS claim, (reverses_id IS NOT NULL)::int AS reversal,
        CASE outcome {cases} ELSE -1 END AS outcome, {", ".join(LINE_FIGURES)}
        FROM settlement_adjudication WHERE run_id = %(run)s"""  # noqa: S608  names of this module
    with connection.cursor() as cursor:
        return read_integers(cursor, query, ("id", "claim", "reversal", "outcome", *LINE_FIGURES), {"run": run.pk})


def _of_decisions(stored: pd.DataFrame, given: pd.DataFrame) -> list[pd.DataFrame]:
    names = {name: place for place, name in enumerate(OUTCOMES)}
    now = given[["id", "claim", "reversal", *LINE_FIGURES]].assign(
        outcome=given["outcome"].astype("object").map(names).astype("int64")
    )
    # A reversing claim takes back each decision on a line, there may be two.
    keys = ["claim", "id", "reversal"]
    both = _numbered(stored, keys).merge(_numbered(now, keys), on=[*keys, "turn"], how="outer", indicator=True)
    found = [_told_missing(both)]
    matched = both[both["_merge"] == "both"]
    for name in ("outcome", *LINE_FIGURES):
        was, is_now = matched[f"{name}_x"], matched[f"{name}_y"]
        rows = matched[was != is_now]
        found.append(_rows(rows, name, rows[f"{name}_x"], rows[f"{name}_y"]))
    return found


def _numbered(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    ordered = table.sort_values([*keys, *LINE_FIGURES], kind="stable")
    return ordered.assign(turn=ordered.groupby(keys, sort=False).cumcount())


def _told_missing(both: pd.DataFrame) -> pd.DataFrame:
    rows = both[both["_merge"] != "both"]
    gone = rows["_merge"] == "right_only"
    return _rows(rows, "row", np.where(gone, "", rows["payable_x"]), np.where(gone, rows["payable_y"], ""))


def _rows(rows: pd.DataFrame, what: str, stored: Any, replayed: Any) -> pd.DataFrame:
    table = {"claim_id": rows["claim"], "id": rows["id"], "what": what, "stored": stored, "replayed": replayed}
    return pd.DataFrame(table).astype("object")


def _of_claims(run: AdjudicationRun, result: AdjudicationResult) -> list[pd.DataFrame]:
    query = f"SELECT claim_id AS claim, {', '.join(CLAIM_FIGURES)} FROM settlement_remittance WHERE run_id = %(run)s"  # noqa: S608
    with connection.cursor() as cursor:
        stored = read_integers(cursor, query, ("claim", *CLAIM_FIGURES), {"run": run.pk})
    both = stored.merge(result.remittances, on="claim", how="outer").fillna(0).assign(id=0)
    found = []
    for name in CLAIM_FIGURES:
        rows = both[both[f"{name}_x"] != both[f"{name}_y"]]
        found.append(_rows(rows, name, rows[f"{name}_x"], rows[f"{name}_y"]))
    return found


def _of_findings(run: AdjudicationRun, result: AdjudicationResult) -> pd.DataFrame:
    names = ("claim_line", "check_code", "severity", "units", "amount", "detail", "claim_line__claim")
    stored = {
        (line, check): (claim, (severity, taken, amount, detail))
        for line, check, severity, taken, amount, detail, claim in Finding.objects.filter(run=run).values_list(*names)
    }
    table = result.findings
    columns = [table[name].tolist() for name in ("id", "claim", "check", "severity", "units", "amount", "detail")]
    now = {
        (line, check): (claim, (severity, taken, amount, json.loads(detail)))
        for line, claim, check, severity, taken, amount, detail in zip(*columns, strict=True)
    }
    found = [
        ((now.get(key) or stored[key])[0], key[0], key[1], stored.get(key), now.get(key))
        for key in sorted({*stored, *now})
        if stored.get(key) != now.get(key)
    ]
    return pd.DataFrame(
        [(claim, line, check, _finding_text(was), _finding_text(is_now)) for claim, line, check, was, is_now in found],
        columns=["claim_id", "id", "what", "stored", "replayed"],
        dtype="object",
    )


def _finding_text(found: tuple[int, tuple[Any, ...]] | None) -> str:
    """Severity, units, amount in minor units and detail of a finding, as one text for programs."""
    return json.dumps(found[1], ensure_ascii=False) if found else ""


def _told(run: AdjudicationRun, facts: Facts, rows: pd.DataFrame) -> Iterable[Difference]:
    listed = rows.iloc[:LISTED]
    lines = {row.pk: row for row in ClaimLine.objects.filter(pk__in=listed["id"].astype("int64").tolist())}
    numbers = dict(zip(facts.claims["claim"].tolist(), facts.claims["number"].tolist(), strict=True))
    for row in listed.itertuples(index=False):
        line = lines.get(int(str(row.id)))
        told = [_shown(str(row.what), value, run.organisation.currency) for value in (row.stored, row.replayed)]
        yield Difference(str(numbers.get(row.claim_id, row.claim_id)), line.line if line else 0, str(row.what), *told)


def _shown(what: str, value: Any, currency: str) -> str:
    if value == "" or what.startswith("CLM-"):
        return str(value)
    if what == "outcome":
        return OUTCOMES[int(value)]
    if what.startswith("units"):
        return units(int(value))
    return rate(int(value)) if what.startswith("rate") else minor(int(value), currency)


def _changes(run: AdjudicationRun, facts: Facts, law: Law) -> Iterable[Change]:
    noted = run.receipt
    yield from _rules_changed(noted.get("rules", {}))
    was, now = ({str(row["key"]): str(row["value"]) for row in rows} for rows in (run.parameters, law.versions))
    for key in sorted({*was, *now}):
        if was.get(key) != now.get(key):
            yield Change("parameter", key, was.get(key, ""), now.get(key, ""))
    present = facts_versions(facts)
    for name, version in noted.get("facts", {}).items():
        if present.get(name) != version:
            yield Change("fact", name, version, present.get(name, ""))


def _rules_changed(noted: dict[str, str]) -> Iterable[Change]:
    """Single checks, or the program as a whole when none of them did."""
    present = rule_versions()
    changed = [
        Change("rule", name, was, present.get(name, "")) for name, was in noted.items() if present.get(name) != was
    ]
    checks = [row for row in changed if row.name != "engine"]
    return checks or changed
