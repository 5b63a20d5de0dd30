"""The tables of a package as plain objects, and the look-ups that the checks need."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

CENT = Decimal("0.01")
ZONES = {"UA": "Europe/Kyiv", "RU": "Europe/Moscow", "GENERIC": "UTC"}
LATEST = datetime.max.replace(tzinfo=UTC)

Row = dict[str, str]

# Checks that a package decides by itself: findings of others are taken as given.
DECIDABLE = {f"CLM-{number:02}" for number in range(1, 33)} - {"CLM-02", "CLM-23", "CLM-29", "CLM-30"}


def round_half_up(value: Decimal) -> Decimal:
    """To 0.01, half away from zero (point 5)."""
    return value.quantize(CENT, ROUND_HALF_UP)


def to_day(text: str | None) -> date | None:
    """A date, or None when blank."""
    return date.fromisoformat(text) if text else None


def to_instant(text: str | None) -> datetime | None:
    """An instant, or None when blank."""
    return datetime.fromisoformat(text) if text else None


def to_number(text: str | None) -> Decimal | None:
    """A number, or None when blank."""
    return Decimal(text) if text else None


def holds(row: Row, day: date, first: str = "valid_from", last: str = "valid_to") -> bool:
    """Whether the day lies between the two dates of the row, both included; blank is open."""
    start, end = to_day(row.get(first)), to_day(row.get(last))
    return (start is None or start <= day) and (end is None or day <= end)


@dataclass(frozen=True)
class Service:
    """A row of the catalogue."""

    code: str
    form: str
    unit: str
    granularity: Decimal
    units_per_day_max: Decimal | None
    units_per_month_max: Decimal | None
    amount_per_year_max: Decimal | None
    group_size_max: int
    free_for_all: bool
    one_off: bool

    @classmethod
    def read(cls, row: Row) -> Service:
        """From a row of services."""
        return cls(
            code=row["code"],
            form=row["form"],
            unit=row["unit"],
            granularity=Decimal(row["granularity"]),
            units_per_day_max=to_number(row["units_per_day_max"]),
            units_per_month_max=to_number(row["units_per_month_max"]),
            amount_per_year_max=to_number(row["amount_per_year_max"]),
            group_size_max=int(row["group_size_max"] or 0),
            free_for_all=row["free_for_all"] == "true",
            one_off=row["one_off"] == "true",
        )


@dataclass(frozen=True)
class ContractLine:
    """The contract line in force, named by its place in the table."""

    place: int
    unit_rate: Decimal
    units_ceiling: Decimal | None


@dataclass(frozen=True)
class PlanLine:
    """A plan line, named by its place in the table."""

    place: int
    units_per_month: Decimal


@dataclass(frozen=True)
class Contract:
    """A contract."""

    row: Row = field(compare=False)
    provider_code: str
    ceiling: Decimal | None


@dataclass(frozen=True)
class Assessment:
    """A fee assessment."""

    mode: str
    monthly_limit: Decimal | None


@dataclass
class Claim:
    """A claim and its lines."""

    number: str
    provider_code: str
    contract_number: str
    period: str
    submitted_at: datetime
    status: str
    run: int | None
    reverses: str
    lines: list[Line] = field(default_factory=list, repr=False)


@dataclass
class Line:
    """A claim line as written, with what its codes lead to."""

    claim: Claim
    number: int
    redemption_code: str
    certificate_number: str
    service_code: str
    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None
    worker_code: str
    units: Decimal
    rate: Decimal
    amount: Decimal
    service: Service | None
    certificate: Row | None
    recipient: str | None
    zone: ZoneInfo

    @property
    def order(self) -> tuple[object, ...]:
        """Point 1."""
        claim = self.claim
        absent = self.starts_at is None
        return (
            self.service_date,
            absent,
            self.starts_at or LATEST,
            claim.submitted_at,
            claim.number,
            self.number,
        )

    @property
    def visit(self) -> tuple[object, ...]:
        """What two lines must share to be the same visit."""
        return (self.recipient, self.service_code, self.service_date, self.starts_at, self.worker_code)

    @cached_property
    def times_are_wrong(self) -> bool:
        """Both times are given, and the start is on another date or the end is not after it."""
        if self.starts_at is None or self.ends_at is None:
            return False
        return self.starts_at.astimezone(self.zone).date() != self.service_date or self.ends_at <= self.starts_at

    @cached_property
    def duration(self) -> timedelta | None:
        """Length of the visit when both times are given and usable."""
        if self.starts_at is None or self.ends_at is None or self.times_are_wrong:
            return None
        return self.ends_at - self.starts_at

    @property
    def is_group(self) -> bool:
        """Whether CLM-22 spares it."""
        return self.service is not None and self.service.group_size_max > 1

    @property
    def in_hours(self) -> bool:
        """Whether an overlap takes only the overlapping hours."""
        return self.service is not None and self.service.unit == "hour"

    @property
    def granularity(self) -> Decimal:
        """Smallest billable part of a unit."""
        assert self.service is not None
        return self.service.granularity


class Package:
    """All tables of one package."""

    def __init__(self, tables: dict[str, list[Row]], jurisdiction: str) -> None:
        self.tables = tables
        self.jurisdiction = jurisdiction
        self.zone = ZoneInfo(ZONES[jurisdiction])
        self.services = {row["code"]: Service.read(row) for row in self.rows("services")}
        self.providers = {row["code"]: row for row in self.rows("providers")}
        self.workers = {row["code"]: row for row in self.rows("workers")}
        self.recipients = {row["code"]: row for row in self.rows("recipients")}
        self.certificates = {row["number"]: row for row in self.rows("certificates")}
        self.redemptions = {row["code"]: row for row in self.rows("redemptions")}
        self.contracts = {row["number"]: self._contract(row) for row in self.rows("contracts")}
        self.claims = {row["number"]: self._claim(row) for row in self.rows("claims")}
        for row in self.rows("claim_lines"):
            self._add_line(row)
        self.clearances: dict[tuple[int, str, int], set[str]] = {}
        for row in self.rows("clearances"):
            key = (int(row["run"]), row["claim_number"], int(row["line"]))
            self.clearances.setdefault(key, set()).add(row["check"])

    @classmethod
    def read(cls, folder: Path) -> Package:
        """Read every CSV file of the folder."""
        tables = {}
        for path in folder.glob("*.csv"):
            with path.open(newline="", encoding="utf-8-sig") as file:
                tables[path.stem] = list(csv.DictReader(file))
        descriptor = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
        return cls(tables, descriptor["organisation"]["jurisdiction"])

    def rows(self, table: str) -> list[Row]:
        """Rows of a table, none when it is absent."""
        return self.tables.get(table, [])

    def _contract(self, row: Row) -> Contract:
        return Contract(row, row["provider_code"], to_number(row["ceiling"]))

    def _claim(self, row: Row) -> Claim:
        return Claim(
            number=row["number"],
            provider_code=row["provider_code"],
            contract_number=row["contract_number"],
            period=row["period"],
            submitted_at=datetime.fromisoformat(row["submitted_at"]),
            status=row["status"],
            run=int(row["run"]) if row["run"] else None,
            reverses=row["reverses"],
        )

    def _add_line(self, row: Row) -> None:
        certificate = self.certificates.get(row["certificate_number"])
        recipient = certificate["recipient_code"] if certificate else None
        claim = self.claims[row["claim_number"]]
        line = Line(
            claim=claim,
            number=int(row["line"]),
            redemption_code=row["redemption_code"],
            certificate_number=row["certificate_number"],
            service_code=row["service_code"],
            service_date=date.fromisoformat(row["service_date"]),
            starts_at=to_instant(row["starts_at"]),
            ends_at=to_instant(row["ends_at"]),
            worker_code=row["worker_code"],
            units=Decimal(row["units"]),
            rate=Decimal(row["unit_rate"]),
            amount=Decimal(row["amount"]),
            service=self.services.get(row["service_code"]),
            certificate=certificate,
            recipient=recipient if recipient in self.recipients else None,
            zone=self.zone,
        )
        claim.lines.append(line)

    # -- runs ------------------------------------------------------------------------------------------------

    @property
    def submitted(self) -> list[Claim]:
        """Claims that a run takes."""
        return [claim for claim in self.claims.values() if claim.status == "submitted"]

    def _numbered_runs(self, period: str) -> set[int]:
        claims = [claim for claim in self.submitted if claim.period == period]
        numbers = {claim.number for claim in claims}
        runs = {claim.run for claim in claims if claim.run is not None}
        return runs | {run for run, number, _ in self.clearances if number in numbers}

    def run_of(self, claim: Claim) -> int:
        """Its number, or the run after the last numbered one of its period."""
        return claim.run if claim.run is not None else max(self._numbered_runs(claim.period), default=0) + 1

    def runs_of(self, period: str) -> list[int]:
        """Runs of a period in order."""
        own = {self.run_of(claim) for claim in self.submitted if claim.period == period}
        return sorted(own | self._numbered_runs(period))

    def claims_of(self, period: str, run: int) -> list[Claim]:
        """Claims that a run takes for the first time."""
        return [c for c in self.submitted if c.period == period and self.run_of(c) == run]

    def given(self, line: Line, run: int) -> list[Row]:
        """Findings of the line in the run that came with the package."""
        return [
            row
            for row in self.rows("findings")
            if (row["run"], row["claim_number"], row["line"]) == (str(run), line.claim.number, str(line.number))
            and row["check"] not in DECIDABLE
        ]

    @property
    def decided_runs(self) -> list[Row]:
        """Runs whose results the package tells, in the order in which they were made."""
        return sorted(self.rows("decided_runs"), key=lambda row: int(row["turn"]))

    def decided(self, line: Line, run: int) -> tuple[Row, list[Row]]:
        """What such a run decided about a line, and its findings."""
        key = (str(run), line.claim.number, str(line.number))
        (row,) = (row for row in self.rows("decided_lines") if (row["run"], row["claim_number"], row["line"]) == key)
        found = self.rows("decided_findings")
        return row, [row for row in found if (row["run"], row["claim_number"], row["line"]) == key]

    def is_lifted(self, line: Line, check: str, run: int) -> bool:
        """Whether a clearance of this or an earlier run of the claim's period lifts the pend."""
        return any(
            check in checks
            for (number, claim_number, line_number), checks in self.clearances.items()
            if number <= run and claim_number == line.claim.number and line_number == line.number
        )

    # -- look-ups as of the service date ---------------------------------------------------------------------

    def parameter(self, key: str, on: date, default: str) -> str:
        """The value in force on the day; the latest start wins."""
        rows = [
            row
            for row in self.rows("parameters")
            if row["jurisdiction"] == self.jurisdiction and row["key"] == key and holds(row, on)
        ]
        return max(rows, key=lambda row: row["valid_from"])["value"] if rows else default

    def contract(self, line: Line) -> Contract | None:
        """The contract of the line's claim, when known."""
        return self.contracts.get(line.claim.contract_number)

    def contract_line(self, line: Line) -> ContractLine | None:
        """The contract line in force on the service date; the latest start, at a tie a written one."""
        contract = self.contract(line)
        if contract is None:
            return None
        found: list[tuple[tuple[str, bool], int, Row]] = []
        for place, row in enumerate(self.rows("contract_lines")):
            whose = (row["contract_number"], row["service_code"])
            if whose != (line.claim.contract_number, line.service_code):
                continue
            start = row["valid_from"] or contract.row["valid_from"]
            end = row["valid_to"] or contract.row["valid_to"]
            if holds({"valid_from": start, "valid_to": end}, line.service_date):
                found.append(((start, bool(row["valid_from"])), place, row))
        if not found:
            return None
        _, place, row = max(found, key=lambda item: item[0])
        return ContractLine(place, Decimal(row["unit_rate"]), to_number(row["units_ceiling"]))

    def plan_line(self, line: Line) -> PlanLine | None:
        """The plan line of recipient and service in force on the service date."""
        for place, row in enumerate(self.rows("plan_lines")):
            whose = (row["recipient_code"], row["service_code"])
            if line.recipient and whose == (line.recipient, line.service_code) and holds(row, line.service_date):
                return PlanLine(place, Decimal(row["units_per_month"]))
        return None

    def assessment(self, line: Line) -> Assessment | None:
        """The fee assessment in force on the service date."""
        for row in self.rows("fee_assessments"):
            if line.recipient and row["recipient_code"] == line.recipient and holds(row, line.service_date):
                return Assessment(row["mode"], to_number(row["monthly_limit"]))
        return None

    def certificate_units(self, line: Line) -> Decimal | None:
        """Units of the service on the certificate, None without such a line."""
        for row in self.rows("certificate_lines"):
            if (row["certificate_number"], row["service_code"]) == (
                line.certificate_number,
                line.service_code,
            ):
                return Decimal(row["units"])
        return None

    def norm(self, line: Line) -> Decimal | None:
        """Point 6: the most specific norm cost in force on the service date."""
        if line.recipient is None or line.service is None:
            return None
        recipient = self.recipients[line.recipient]
        found: dict[tuple[bool, bool], Decimal] = {}
        for row in self.rows("norm_costs"):
            territory, group = row["territory_code"], row["recipient_class"]
            if row["service_code"] != line.service_code or not holds(row, line.service_date):
                continue
            if territory in ("", recipient["territory_code"]) and group in ("", recipient["recipient_class"]):
                found[bool(territory), bool(group)] = Decimal(row["unit_rate"])
        return next(
            (found[key] for key in ((True, True), (True, False), (False, True), (False, False)) if key in found),
            None,
        )
