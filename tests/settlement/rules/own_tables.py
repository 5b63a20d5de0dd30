"""Facts of claims that were handed in here: a package's single run with the tables that a package does not carry."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pandas as pd

from settlement.rules.adjudicate import AdjudicationResult
from settlement.rules.facts import BLANK, COLUMNS, FIRST_DAY, LAST_DAY, NO_AMOUNT, NO_TIME, Facts, empty_table
from settlement.rules.given import DECIDABLE
from tests.settlement.rules.package_facts import Package, Play, day, instant, scaled

OWN = tuple(COLUMNS)[list(COLUMNS).index("own_claims") :]
DAYS = {"valid_from": FIRST_DAY, "valid_to": LAST_DAY, "act_on": LAST_DAY}
MONEY = {"amount": 0, "used": 0, "released": BLANK, "collected": 0, "vat": 0}
PLAIN = {"latitude": NO_AMOUNT, "longitude": NO_AMOUNT, "distance": BLANK, "bearing": 1}


class OwnTables:
    """Collects rows by words, as golden rows write them."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.rows: dict[str, list[dict[str, int]]] = {name: [] for name in OWN}
        self.claims: dict[str, dict[str, int]] = {}

    def edit(self, text: str) -> None:
        """``own TABLE column=value ...``, or ``claim NUMBER column=value ...`` for what a claim declares."""
        kind, name, *words = text.split()
        values = dict(word.split("=", 1) for word in words)
        if kind == "own":
            self.rows[name].append({column: self._cell(column, values.get(column, "")) for column in COLUMNS[name]})
        else:
            self.claims.setdefault(name, {}).update({key: self._cell(key, text) for key, text in values.items()})

    def _cell(self, column: str, text: str) -> int:
        codes = getattr(self.package, {"other": "service", "twin": "claim"}.get(column, column), None)
        if column == "id":
            claim, line = text.split("/")
            lines = self.package.rows("claim_lines")
            return next(n for n, r in enumerate(lines) if (r["claim_number"], r["line"]) == (claim, line))
        if codes is not None:
            return int(codes[text])
        if column.endswith("_on") or column in {"valid_from", "valid_to", "day"}:
            return day(text, DAYS.get(column, 0))
        if column == "scanned_at":
            return instant(text) if text else NO_TIME
        if column in {*MONEY, "declared_total"}:
            return scaled(text, 2, MONEY.get(column, NO_AMOUNT))
        return int(text) if text else PLAIN.get(column, 0)

    def put(self, facts: Facts) -> Facts:
        """The facts with these tables; every claim counts as handed in here."""
        self._own_claims(facts)
        filled = {
            name: pd.DataFrame(rows, columns=list(COLUMNS[name])).astype("int64")
            for name, rows in self.rows.items()
            if rows
        }
        return replace(facts, **filled)

    def _own_claims(self, facts: Facts) -> None:
        for number in self.package.claim.known:
            key, declared = self.package.claim[number], self.claims.get(number, {})
            lines = facts.lines[facts.lines["claim"] == key]
            row = {"claim": key, "twin": BLANK, "declared_total": NO_AMOUNT, "first_line": 1, "fresh": 1}
            row |= {"written": int(lines["amount"].sum())} | declared
            self.rows["own_claims"].append({name: row[name] for name in COLUMNS["own_claims"]})
            if "vat" in row:
                figures = lines[["id", "claim", "units", "unit_rate"]].assign(vat=row["vat"])
                self.rows["vat_lines"] += figures.to_dict("records")


def single_run(folder: Path, edits: list[str]) -> tuple[Facts, Play]:
    """Facts of the only run of a package, with own tables made of ``edits``."""
    play = Play(Package(folder))
    [(period, run)] = list(play.runs())
    tables = OwnTables(play.package)
    for text in edits:
        tables.edit(text)
    return tables.put(play.facts(period, run, run)), play


def elsewhere(facts: Facts, result: AdjudicationResult) -> Facts:
    """The same facts as another office reads them from a package: our findings as given, our own tables gone."""
    found = result.findings[~result.findings["check"].astype(str).isin(DECIDABLE)]
    given = found.rename(columns={"check": "check_code"})[list(COLUMNS["given"])].astype(
        {"check_code": "object", "severity": "object"}
    )
    return replace(facts, given=given.reset_index(drop=True), **{name: empty_table(name) for name in OWN})


def findings_of(result: AdjudicationResult, check: str) -> list[tuple[str, str, str, str]]:
    """(line, severity, units, amount) of a check, as golden rows write them."""
    rows = result.findings[result.findings["check"].astype(str) == check].to_dict("records")
    return [
        (str(r["line"]), str(r["severity"]), str(Decimal(r["units"]).scaleb(-3)), str(Decimal(r["amount"]).scaleb(-2)))
        for r in rows
    ]
