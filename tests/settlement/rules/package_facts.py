"""Packages of CSV tables as facts for the engine: codes become integers, runs are played in order."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from settlement.rules.adjudicate import AdjudicationResult, adjudicate
from settlement.rules.facts import (
    AWAY,
    BLANK,
    COLUMNS,
    DIFFERENTIATED,
    FIRST_DAY,
    FREE,
    FULL_COST,
    HOSPITAL,
    LAST_DAY,
    NO_AMOUNT,
    NO_LIMIT,
    NO_TIME,
    RESIDENTIAL,
    TEXT,
    Facts,
    build_facts,
)
from settlement.rules.given import DECIDABLE
from settlement.rules.parameters import Parameters, parse_parameters

ZONES = {"UA": "Europe/Kyiv", "RU": "Europe/Moscow"}
EPOCH, EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC), date(1970, 1, 1)
KINDS = {"hospital": HOSPITAL, "residential": RESIDENTIAL, "away": AWAY}
MODES = {"F": FREE, "D": DIFFERENTIATED, "C": FULL_COST}
Row = dict[str, str]


def scaled(text: str, places: int, blank: int = NO_LIMIT) -> int:
    """A number as an integer of its smallest unit."""
    return int(Decimal(text).scaleb(places).to_integral_exact()) if text else blank


def day(text: str, blank: int) -> int:
    """An ISO date as days since 1970."""
    return (date.fromisoformat(text) - EPOCH_DAY).days if text else blank


def instant(text: str) -> int:
    """An ISO time with zone as microseconds since 1970."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1) if text else NO_TIME


def flag(text: str) -> int:
    """true as 1."""
    return int(text == "true")


class Codes:
    """Known codes get 0, 1, ...; blank BLANK; unknown ones -2, -3, ..."""

    def __init__(self, rows: list[Row], name: str) -> None:
        self.known = {row[name]: number for number, row in enumerate(rows)}
        self.unknown: dict[str, int] = {}

    def __getitem__(self, code: str) -> int:
        if not code:
            return BLANK
        if code in self.known:
            return self.known[code]
        return self.unknown.setdefault(code, -2 - len(self.unknown))


class Package:
    """The tables of a folder, blanks where a column is absent, and the codes of its registers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        descriptor = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
        self.jurisdiction = descriptor.get("organisation", {}).get("jurisdiction", "UA")
        self.zone = ZoneInfo(ZONES.get(self.jurisdiction, "UTC"))
        self.service, self.provider = self._codes("services"), self._codes("providers")
        self.worker, self.recipient = self._codes("workers"), self._codes("recipients")
        self.territory = self._codes("territories")
        self.contract = self._codes("contracts", "number")
        self.certificate, self.claim = self._codes("certificates", "number"), self._codes("claims", "number")
        self.redemption = self._codes("redemptions")
        self.kind = Codes([], "")

    def _codes(self, table: str, name: str = "code") -> Codes:
        return Codes(self.rows(table), name)

    def rows(self, table: str) -> list[Row]:
        """Rows of a table; none when it is absent."""
        path = self.folder / f"{table}.csv"
        if not path.exists():
            return []
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [defaultdict(str, {k: v or "" for k, v in row.items()}) for row in csv.DictReader(file)]

    def zone_day(self, text: str) -> int:
        """Date of a time in the jurisdiction's zone."""
        if not text:
            return FIRST_DAY
        return (datetime.fromisoformat(text).astimezone(self.zone).date() - EPOCH_DAY).days

    def parameters(self) -> Parameters:
        """Dated figures of the package's jurisdiction."""
        return parse_parameters(
            (row["key"], day(row["valid_from"], FIRST_DAY), day(row["valid_to"], LAST_DAY), row["value"])
            for row in sorted(self.rows("parameters"), key=lambda row: row["valid_from"])
            if row["jurisdiction"] == self.jurisdiction
        )


def table(name: str, rows: list[tuple[object, ...]]) -> pd.DataFrame:
    """A table of facts from rows in the order of its columns."""
    columns = list(COLUMNS[name])
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({column: "object" if column in TEXT else "int64" for column in columns})


def registers(package: Package) -> dict[str, pd.DataFrame]:
    """The tables that do not change from run to run."""
    p = package
    contracts = {row["number"]: row for row in p.rows("contracts")}

    def ended(row: Row) -> int:
        return LAST_DAY if row["status"] == "active" else day(row["status_from"], FIRST_DAY)

    def span(row: Row, start: str = "valid_from", end: str = "valid_to") -> tuple[int, int]:
        return day(row[start], FIRST_DAY), day(row[end], LAST_DAY)

    def contract_span(row: Row) -> tuple[int, int]:
        parent = contracts[row["contract_number"]]
        return (
            day(row["valid_from"] or parent["valid_from"], FIRST_DAY),
            day(row["valid_to"] or parent["valid_to"], LAST_DAY),
        )

    return {
        "services": table(
            "services",
            [
                (
                    p.service[r["code"]],
                    int(r["unit"] == "hour"),
                    int(r["form"] == "home"),
                    scaled(r["granularity"], 3),
                    scaled(r["units_per_day_max"], 3),
                    scaled(r["units_per_month_max"], 3),
                    scaled(r["amount_per_year_max"], 2),
                    scaled(r["group_size_max"], 0),
                    flag(r["free_for_all"]),
                    flag(r["one_off"]),
                )
                for r in p.rows("services")
            ],
        ),
        "norm_costs": table(
            "norm_costs",
            [
                (
                    p.service[r["service_code"]],
                    p.territory[r["territory_code"]],
                    p.kind[r["recipient_class"]],
                    *span(r),
                    scaled(r["unit_rate"], 4),
                )
                for r in p.rows("norm_costs")
            ],
        ),
        "providers": table(
            "providers",
            [(p.provider[r["code"]], *span(r, "active_from", "active_to")) for r in p.rows("providers")],
        ),
        "provider_suspensions": table(
            "provider_suspensions",
            [
                (p.provider[r["provider_code"]], *span(r, "from_date", "to_date"))
                for r in p.rows("provider_suspensions")
            ],
        ),
        "workers": table("workers", [(p.worker[r["code"]], p.provider[r["provider_code"]]) for r in p.rows("workers")]),
        "worker_qualifications": table(
            "worker_qualifications",
            [
                (p.worker[r["worker_code"]], p.service[r["service_code"]], *span(r))
                for r in p.rows("worker_qualifications")
            ],
        ),
        "contracts": table(
            "contracts",
            [
                (
                    p.contract[r["number"]],
                    p.provider[r["provider_code"]],
                    int(r["status"] == "active"),
                    *span(r),
                    scaled(r["ceiling"], 2),
                )
                for r in p.rows("contracts")
            ],
        ),
        "contract_lines": table(
            "contract_lines",
            [
                (
                    number,
                    p.contract[r["contract_number"]],
                    p.service[r["service_code"]],
                    *contract_span(r),
                    scaled(r["unit_rate"], 4),
                    scaled(r["units_ceiling"], 3),
                )
                # As the database gives them: a line without a first day before one that names it.
                for number, r in sorted(enumerate(p.rows("contract_lines")), key=lambda row: row[1]["valid_from"])
            ],
        ),
        "recipients": table(
            "recipients",
            [(p.recipient[r["code"]], day(r["death_date"], LAST_DAY)) for r in p.rows("recipients")],
        ),
        "residences": table(
            "residences",
            [
                (
                    p.recipient[r["code"]],
                    p.territory[r["territory_code"]],
                    p.kind[r["recipient_class"]],
                    FIRST_DAY,
                    LAST_DAY,
                )
                for r in p.rows("recipients")
            ],
        ),
        "absences": table(
            "absences",
            [
                (p.recipient[r["recipient_code"]], KINDS[r["kind"]], *span(r, "from_date", "to_date"))
                for r in p.rows("absences")
            ],
        ),
        "fee_assessments": table(
            "fee_assessments",
            [
                (
                    p.recipient[r["recipient_code"]],
                    *span(r),
                    MODES[r["mode"]],
                    scaled(r["monthly_limit"], 2, 0),
                )
                for r in p.rows("fee_assessments")
            ],
        ),
        "plan_lines": table(
            "plan_lines",
            [
                (
                    number,
                    p.recipient[r["recipient_code"]],
                    p.service[r["service_code"]],
                    *span(r),
                    scaled(r["units_per_month"], 3),
                )
                for number, r in enumerate(p.rows("plan_lines"))
            ],
        ),
        "certificates": table(
            "certificates",
            [
                (p.certificate[r["number"]], p.recipient[r["recipient_code"]], *span(r), ended(r))
                for r in p.rows("certificates")
            ],
        ),
        "certificate_suspensions": table(
            "certificate_suspensions",
            [
                (p.certificate[r["certificate_number"]], *span(r, "from_date", "to_date"))
                for r in p.rows("certificate_suspensions")
            ],
        ),
        "certificate_lines": table(
            "certificate_lines",
            [
                (p.certificate[r["certificate_number"]], p.service[r["service_code"]], scaled(r["units"], 3))
                for r in p.rows("certificate_lines")
            ],
        ),
        "redemptions": table(
            "redemptions",
            [
                (
                    p.redemption[r["code"]],
                    p.certificate[r["certificate_number"]],
                    p.service[r["service_code"]],
                    p.provider[r["provider_code"]],
                    p.worker[r["worker_code"]],
                    scaled(r["units"], 3),
                    int(r["status"] == "confirmed"),
                )
                for r in p.rows("redemptions")
            ],
        ),
    }


@dataclass
class Play:
    """A package while its runs are played: what earlier runs allowed, and who is reversed since."""

    package: Package
    fixed: dict[str, pd.DataFrame] = field(init=False)
    lines: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    results: list[tuple[str, int, AdjudicationResult]] = field(default_factory=list)
    done: dict[int, list[dict[str, object]]] = field(default_factory=lambda: defaultdict(list))
    reversed: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.fixed = registers(self.package)
        self.claims = {row["number"]: row for row in self.package.rows("claims")}
        for row in self.package.rows("claim_lines"):
            self.lines[row["claim_number"]].append(row)
        self.keys = {(r["claim_number"], int(r["line"])): n for n, r in enumerate(self.package.rows("claim_lines"))}

    def runs(self) -> Iterator[tuple[str, int]]:
        """Periods in order, and inside them the numbered runs, then the claims without a number."""
        clearances = self.package.rows("clearances")
        numbers: dict[str, set[int]] = defaultdict(set)
        loose: set[str] = set()
        for row in self.claims.values():
            if row["status"] != "submitted":
                continue
            if row["run"]:
                numbers[row["period"]].add(int(row["run"]))
            else:
                loose.add(row["period"])
        for row in clearances:
            if (claim := self.claims.get(row["claim_number"])) and claim["status"] == "submitted":
                numbers[claim["period"]].add(int(row["run"]))
        for period in sorted(set(numbers) | loose):
            for run in sorted(numbers[period]):
                yield period, run
            if period in loose:
                yield period, max(numbers[period], default=0) + 1

    def facts(self, period: str, run: int, last: int) -> Facts:
        """Facts of one run."""
        now = [
            row
            for row in self.claims.values()
            if row["status"] == "submitted" and row["period"] == period and int(row["run"] or last) == run
        ]
        self.reversed |= {self.package.claim[row["reverses"]] for row in now if row["reverses"]} - {BLANK}
        before = self.reversed - {self.package.claim[row["reverses"]] for row in now if row["reverses"]}
        lines = [(row["number"], line) for row in now for line in self.lines[row["number"]]]
        again = self._cleared(period, run, before)
        lines += again
        claims = {row["number"]: row for row in now} | {number: self.claims[number] for number, _ in again}
        return build_facts(
            **self.fixed,
            claims=table("claims", [self._claim(row) for row in claims.values()]),
            lines=table("lines", [self._line(number, line) for number, line in lines]),
            lifted=table("lifted", self._lifted(period, run)),
            given=table("given", self._given(period, run)),
            reversals=table("reversals", list(self._taken_back(now))),
            **self._history(),
        )

    def _cleared(self, period: str, run: int, gone: set[int]) -> list[tuple[str, Row]]:
        named: dict[tuple[str, int], set[str]] = defaultdict(set)
        for row in self.package.rows("clearances"):
            if int(row["run"]) == run and self.claims.get(row["claim_number"], {}).get("period") == period:
                named[row["claim_number"], int(row["line"])].add(row["check"])
        result = []
        for (number, line), checks in named.items():
            latest = self.done.get(self.keys.get((number, line), -1), [])
            if self.package.claim[number] in gone or not latest or latest[-1]["outcome"] != "pended":
                continue
            if checks & latest[-1]["pends"]:  # type: ignore[operator]
                result.append((number, next(r for r in self.lines[number] if int(r["line"]) == line)))
        return result

    def _lifted(self, period: str, run: int) -> list[tuple[object, ...]]:
        return [
            (
                self.package.claim[row["claim_number"]],
                int(row["line"]),
                int(row["check"].removeprefix("CLM-")),
            )
            for row in self.package.rows("clearances")
            if int(row["run"]) <= run and self.claims.get(row["claim_number"], {}).get("period") == period
        ]

    def _given(self, period: str, run: int) -> list[tuple[object, ...]]:
        return [
            (
                self.keys[row["claim_number"], int(row["line"])],
                row["check"],
                row["severity"],
                scaled(row["units"], 3),
                scaled(row["amount"], 2),
                "{}",
            )
            for row in self.package.rows("findings")
            if int(row["run"]) == run
            and row["check"] not in DECIDABLE
            and self.claims[row["claim_number"]]["period"] == period
        ]

    def _claim(self, row: Row) -> tuple[object, ...]:
        p = self.package
        number = p.claim[row["number"]]
        return (
            number,
            row["number"],
            p.provider[row["provider_code"]],
            p.contract[row["contract_number"]],
            day(row["period"] + "-01", 0),
            instant(row["submitted_at"]),
            p.zone_day(row["submitted_at"]),
            p.claim[row["reverses"]],
            int(number in self.reversed),
        )

    def _line(self, number: str, row: Row) -> tuple[object, ...]:
        p = self.package
        return (
            self.keys[number, int(row["line"])],
            p.claim[number],
            int(row["line"]),
            p.redemption[row["redemption_code"]],
            p.certificate[row["certificate_number"]],
            p.service[row["service_code"]],
            day(row["service_date"], 0),
            instant(row["starts_at"]),
            instant(row["ends_at"]),
            p.zone_day(row["starts_at"]),
            p.worker[row["worker_code"]],
            scaled(row["units"], 3),
            scaled(row["unit_rate"], 4),
            scaled(row["amount"], 4, NO_AMOUNT),
        )

    def _taken_back(self, now: list[Row]) -> Iterator[tuple[object, ...]]:
        for row in now:
            if row["reverses"] in self.claims:
                for line in self.lines[row["reverses"]]:
                    for old in self.done[self.keys[row["reverses"], int(line["line"])]]:
                        names = COLUMNS["reversals"][3:]
                        key = self.keys[row["reverses"], int(line["line"])]
                        yield (
                            self.package.claim[row["number"]],
                            key,
                            int(line["line"]),
                            *(old[n] for n in names),
                        )

    def _history(self) -> dict[str, pd.DataFrame]:
        """Allowed lines of earlier runs, in full and summed."""
        p, rows, used = self.package, [], []
        for number, lines in self.lines.items():
            if p.claim[number] in self.reversed:
                continue
            for line in lines:
                olds = [o for o in self.done.get(self.keys[number, int(line["line"])], []) if o["units_allowed"] > 0]
                if olds:
                    rows.append(self._past(number, line, olds[-1]))
                    used.append((self._line(number, line), self.claims[number], olds[-1]))
        return {"history": table("history", rows), **self._used(used)}

    def _past(self, number: str, line: Row, old: dict[str, object]) -> tuple[object, ...]:
        p = self.package
        facts = dict(zip(COLUMNS["lines"], self._line(number, line), strict=True))
        facts |= {"recipient": self._recipient(line), "units": old["units_allowed"], "fee": old["fee"]}
        del p
        return tuple(facts[name] for name in COLUMNS["history"])

    def _recipient(self, line: Row) -> int:
        certificates = self.fixed["certificates"]
        known = certificates.loc[
            certificates["certificate"] == self.package.certificate[line["certificate_number"]], "recipient"
        ]
        return int(known.iloc[0]) if len(known) else BLANK

    def _used(self, used: list[tuple[tuple[object, ...], Row, dict[str, object]]]) -> dict[str, pd.DataFrame]:
        sums: dict[str, dict[tuple[int, ...], int]] = {
            name: defaultdict(int) for name in COLUMNS if name.endswith("_used")
        }
        for values, claim, old in used:
            line = dict(zip(COLUMNS["lines"], values, strict=True))
            service, on = line["service"], date(1970, 1, 1) + timedelta(days=int(str(line["service_date"])))
            contract = self.package.contract[claim["contract_number"]]
            recipients = self.fixed["certificates"].set_index("certificate")["recipient"]
            recipient = int(recipients[line["certificate"]])
            units, gross = int(str(old["units_allowed"])), int(str(old["gross"]))
            sums["certificate_used"][line["certificate"], service] += units  # type: ignore[index]
            sums["year_used"][recipient, service, on.year] += gross  # type: ignore[index]
            sums["contract_used"][(contract,)] += gross
            plan = self._in_force("plan_lines", {"recipient": recipient, "service": service}, line["service_date"])
            month = on.year * 12 + on.month - 1 - 1970 * 12
            sums["plan_used"][plan, month] += units
            contract_line = self._in_force(
                "contract_lines", {"contract": contract, "service": service}, line["service_date"]
            )
            sums["contract_line_used"][(contract_line,)] += gross
        return {name: table(name, [(*key, value) for key, value in totals.items()]) for name, totals in sums.items()}

    def _in_force(self, name: str, keys: dict[str, object], on: object) -> int:
        rows = self.fixed[name]
        mask = (rows["valid_from"] <= on) & (rows["valid_to"] >= on)
        for key, value in keys.items():
            mask &= rows[key] == value
        found = rows[mask].sort_values("valid_from", kind="stable")
        return int(found.iloc[-1][COLUMNS[name][0]]) if len(found) else BLANK

    def play(self) -> list[tuple[str, int, AdjudicationResult]]:
        """All runs; each adds to what later ones see."""
        parameters = self.package.parameters()
        runs = list(self.runs())
        last = dict(runs)
        for period, run in runs:
            result = adjudicate(self.facts(period, run, last[period]), parameters=parameters)
            pends = result.findings[result.findings["severity"] == "P"].groupby("id")["check"].agg(set).to_dict()
            for row in result.adjudications.to_dict("records"):
                if not row["reversal"]:
                    self.done[row["id"]].append(row | {"pends": pends.get(row["id"], set())})
            self.results.append((period, run, result))
        return self.results


def facts_from_package(path: Path | str) -> list[tuple[str, int, AdjudicationResult]]:
    """Period, run number and result of every run of the package, in order."""
    return Play(Package(Path(path))).play()


def written(value: int, places: int) -> str:
    """A number with its places."""
    return str(Decimal(int(value)).scaleb(-places))


def output_rows(path: Path | str) -> dict[str, set[tuple[str, ...]]]:
    """adjudications, findings (without detail) and remittances as the interchange document names them."""
    play = Play(Package(Path(path)))
    names = {number: text for text, number in play.package.claim.known.items()}
    providers = {number: text for text, number in play.package.provider.known.items()}
    rows: dict[str, list[tuple[str, ...]]] = {"adjudications": [], "findings": [], "remittances": []}
    for _, run, result in play.play():
        for r in result.adjudications.to_dict("records"):
            figures = [written(r[c], 3) for c in ("units_claimed", "units_allowed")]
            figures += [written(r[c], 4) for c in ("rate_claimed", "rate_allowed")]
            figures += [written(r[c], 2) for c in ("amount_claimed", "gross", "fee", "payable")]
            rows["adjudications"].append((str(run), names[r["claim"]], str(r["line"]), *figures, r["outcome"]))
        for r in result.findings.to_dict("records"):
            figures = [written(r["units"], 3), written(r["amount"], 2)]
            key = (str(run), names[r["claim"]], str(r["line"]), r["check"], r["severity"])
            rows["findings"].append((*key, *figures))
        for r in result.remittances.to_dict("records"):
            columns = ("amount_claimed", "reductions", "pended", "gross", "fee", "offsets", "payable")
            figures = [written(r[c], 2) for c in columns]
            rows["remittances"].append((str(run), names[r["claim"]], providers[r["provider"]], *figures))
    return {name: sorted(values) for name, values in rows.items()}  # type: ignore[return-value]
