"""A second, independent opinion: recalculates a package line by line with Decimal and datetime.

Slow and plain on purpose. It shares no code with the product: it reads the CSV tables of one package folder,
plays every run of every period in order and returns adjudications, findings (without detail) and remittances.

    python -m tests.oracle.recalculate PACKAGE [OUTPUT_FOLDER]
"""

from __future__ import annotations

import csv
import json
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from tests.oracle.judged import (
    ZERO,
    Finding,
    Judged,
    Result,
    adjudication_row,
    covered_time,
    finding_row,
    hours_up,
    in_hours,
    month_of,
    remittance_row,
    split,
    sum_gross,
    sum_units,
    value_left,
)
from tests.oracle.lookups import Claim, Line, Package, round_half_up
from tests.oracle.static_checks import static_findings


class Settlement:
    """Plays runs in order and remembers them."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self.history: list[Judged] = []
        # What claims have used of advances, by number.
        self.advanced: dict[str, Decimal] = {}
        self.reversed: set[str] = set()
        self.result = Result()

    def play_all(self) -> Result:
        """Runs that the package tells of, as told; then every run of every period, in order."""
        told = [(row["period"], int(row["run"])) for row in self.package.decided_runs]
        for period, run in told:
            self.play(period, run, told=True)
        for period in sorted({claim.period for claim in self.package.submitted}):
            for run in self.package.runs_of(period):
                if (period, run) not in told:
                    self.play(period, run)
        self.result.sort()
        return self.result

    def play(self, period: str, run: int, *, told: bool = False) -> None:
        """One run; ``told``: the package says what it decided."""
        claims = self.package.claims_of(period, run)
        before = set(self.reversed)
        self.reversed |= {claim.reverses for claim in claims if claim.reverses}
        lines = [line for claim in claims if not claim.reverses for line in claim.lines]
        lines += self._cleared(period, run, before)
        lines.sort(key=lambda line: line.order)
        judged = [self._told(line, period, run) if told else self._begin(line, period, run) for line in lines]
        if not told:
            self._overlaps(judged)
            self._cut(judged)
            self._fees(judged)
        self.history += judged
        self._write(judged, period, run, claims)

    def _told(self, line: Line, period: str, run: int) -> Judged:
        """A line as an earlier run left it, on facts that the package does not have."""
        row, rows = self.package.decided(line, run)
        findings = {
            found["check"]: Finding(
                found["check"], found["severity"], Decimal(found["units"]), Decimal(found["amount"])
            )
            for found in rows
        }
        left = {name: Decimal(row[name]) for name in ("gross", "fee")}
        units, rate = Decimal(row["units_allowed"]), Decimal(row["rate_allowed"])
        judged = Judged(line, period, run, findings, units=units, rate=rate, **left)
        assert judged.outcome == row["outcome"], (line.claim.number, line.number)
        return judged

    # -- who may be seen -------------------------------------------------------------------------------------

    def _sees(self, viewer: Judged, other: Judged) -> bool:
        number = other.line.claim.number
        return number not in self.reversed or number == viewer.line.claim.number

    def _past(self, viewer: Judged) -> list[Judged]:
        return [past for past in self.history if past.units > 0 and self._sees(viewer, past)]

    def _cleared(self, period: str, run: int, reversed_before: set[str]) -> list[Line]:
        latest = {(j.line.claim.number, j.line.number): j for j in self.history}
        lines = []
        for (number, line_number), judged in latest.items():
            claim = judged.line.claim
            if claim.period != period or number in reversed_before or judged.outcome != "pended":
                continue
            pends = {f.check for f in judged.findings.values() if f.severity == "P"}
            if pends & self.package.clearances.get((run, number, line_number), set()):
                lines.append(judged.line)
        return lines

    # -- findings --------------------------------------------------------------------------------------------

    def _begin(self, line: Line, period: str, run: int) -> Judged:
        findings = {
            check: Finding(check, severity)
            for check, severity in static_findings(self.package, line)
            if not (severity == "P" and self.package.is_lifted(line, check, run))
        }
        for row in self.package.given(line, run):
            if not (row["severity"] == "P" and self.package.is_lifted(line, row["check"], run)):
                wanted = {"wanted_units": Decimal(row["units"]), "wanted_amount": Decimal(row["amount"])}
                findings[row["check"]] = Finding(row["check"], row["severity"], **wanted)
        return Judged(line, period, run, findings, units=line.units, rate=line.rate)

    def _overlaps(self, judged: list[Judged]) -> None:
        for index, current in enumerate(judged):
            now = [j for j in judged[:index] if not j.spoils and self._sees(current, j)]
            earlier = [*now, *self._past(current)]
            self._check_20(current, earlier)
            self._check_21(current, earlier)
            self._check_22(current, earlier)
            self._check_24(current, earlier)

    def _check_20(self, current: Judged, earlier: list[Judged]) -> None:
        line = current.line
        for other in (past.line for past in earlier):
            same_visit = line.recipient is not None and line.visit == other.visit
            same_redemption = bool(line.redemption_code) and line.redemption_code == other.redemption_code
            if same_visit or same_redemption:
                current.findings["CLM-20"] = Finding("CLM-20", "R")

    def _check_21(self, current: Judged, earlier: list[Judged]) -> None:
        if current.line.recipient is None:
            return
        same = [j.line for j in earlier if j.line.recipient == current.line.recipient]
        self._record_overlap("CLM-21", current, same)

    def _check_22(self, current: Judged, earlier: list[Judged]) -> None:
        line = current.line
        if not line.worker_code or line.is_group:
            return
        same = [j.line for j in earlier if j.line.worker_code == line.worker_code and not j.line.is_group]
        self._record_overlap("CLM-22", current, same)

    def _record_overlap(self, check: str, current: Judged, others: list[Line]) -> None:
        covered = covered_time(current.line, others)
        if covered > timedelta(0):
            current.findings[check] = Finding(check, "R")
            if current.line.in_hours:
                current.rounded_overlap[check] = hours_up(covered, current.line.granularity)

    def _check_24(self, current: Judged, earlier: list[Judged]) -> None:
        line = current.line
        if not line.worker_code or line.duration is None or self.package.is_lifted(line, "CLM-24", current.run):
            return
        same = [
            j.line.duration
            for j in earlier
            if j.line.worker_code == line.worker_code and j.line.service_date == line.service_date
        ]
        total = sum((d for d in same if d is not None), line.duration)
        limit = Decimal(self.package.parameter("worker.hours_per_day_max", line.service_date, "12"))
        if in_hours(total) > limit:
            current.findings["CLM-24"] = Finding("CLM-24", "P")

    # -- waterfall -------------------------------------------------------------------------------------------

    def _cut(self, judged: list[Judged]) -> None:
        for index, current in enumerate(judged):
            self._lower_rates(current)
            self._take_rejections(current)
            self._take_pends(current)
            done = [j for j in judged[:index] if self._sees(current, j)] + self._past(current)
            self._cut_units(current, done)
            self._cut_money(current, done)

    def _lower_rates(self, current: Judged) -> None:
        line = current.line
        row = self.package.contract_line(line)
        if row is not None:
            self._lower_rate("CLM-16", current, row.unit_rate)
        norm = self.package.norm(line)
        if norm is not None:
            self._lower_rate("CLM-17", current, norm)

    def _lower_rate(self, check: str, current: Judged, limit: Decimal) -> None:
        if current.rate > limit:
            fall = value_left(current) - round_half_up(current.units * limit)
            current.findings[check] = Finding(check, "C", ZERO, fall)
            current.rate = limit

    def _take(self, finding: Finding, current: Judged, units: Decimal) -> None:
        before = value_left(current)
        current.units -= units
        finding.units += units
        finding.amount += before - value_left(current)

    def _take_rejections(self, current: Judged) -> None:
        for check in sorted(current.findings):
            finding = current.findings[check]
            if finding.severity == "R":
                self._take(finding, current, self._rejected_units(check, current))

    def _rejected_units(self, check: str, current: Judged) -> Decimal:
        given = current.findings[check].wanted_units
        if given is not None:
            return min(given, current.units)
        if check not in ("CLM-21", "CLM-22") or not current.line.in_hours:
            return current.units
        wanted = current.rounded_overlap[check]
        if check == "CLM-22":
            wanted = max(ZERO, wanted - current.rounded_overlap.get("CLM-21", ZERO))
        return min(current.units, wanted)

    def _take_pends(self, current: Judged) -> None:
        for check in sorted(current.findings):
            finding = current.findings[check]
            if finding.severity == "P" and finding.wanted_units != 0:
                self._take(finding, current, current.units)

    def _limit_units(self, check: str, current: Judged, left: Decimal) -> None:
        allowed = max(ZERO, left)
        if current.units > allowed:
            finding = current.findings.setdefault(check, Finding(check, "C"))
            self._take(finding, current, current.units - allowed)

    def _given_cuts(self, current: Judged) -> list[Finding]:
        found = [f for f in current.findings.values() if f.severity == "C" and f.wanted_units is not None]
        return sorted(found, key=lambda finding: finding.check)

    def _cut_units(self, current: Judged, done: list[Judged]) -> None:
        line = current.line
        for finding in self._given_cuts(current):
            self._take(finding, current, min(finding.wanted_units or ZERO, current.units))
        if current.units == 0 or line.service is None or line.recipient is None:
            return
        same = [j for j in done if j.line.recipient == line.recipient and j.line.service_code == line.service_code]
        day = [j for j in same if j.line.service_date == line.service_date]
        month = [j for j in same if month_of(j.line.service_date) == month_of(line.service_date)]
        if line.service.units_per_day_max is not None:
            self._limit_units("CLM-14", current, line.service.units_per_day_max - sum_units(day))
        if line.service.units_per_month_max is not None:
            self._limit_units("CLM-14", current, line.service.units_per_month_max - sum_units(month))
        plan = self.package.plan_line(line)
        if plan is not None and not line.service.one_off:
            under = [j for j in month if self.package.plan_line(j.line) == plan]
            self._limit_units("CLM-13", current, plan.units_per_month - sum_units(under))
        balance = self.package.certificate_units(line)
        if balance is not None:
            used = [j for j in same if j.line.certificate_number == line.certificate_number]
            self._limit_units("CLM-12", current, balance - sum_units(used))
        self._limit_units("CLM-15", current, current.units // line.granularity * line.granularity)

    def _cut_money(self, current: Judged, done: list[Judged]) -> None:
        line = current.line
        current.gross = value_left(current)
        for finding in self._given_cuts(current):
            if not finding.wanted_units:
                finding.amount = min(finding.wanted_amount, current.gross)
                current.gross -= finding.amount
        if current.units == 0 or line.service is None:
            return
        same = [j for j in done if j.line.recipient == line.recipient and j.line.service_code == line.service_code]
        year = [j for j in same if j.line.service_date.year == line.service_date.year]
        if line.service.amount_per_year_max is not None:
            self._limit_money("CLM-18", current, line.service.amount_per_year_max - sum_gross(year))
        row = self.package.contract_line(line)
        if row is not None and row.units_ceiling is not None:
            on_row = [j for j in done if self.package.contract_line(j.line) == row]
            ceiling = round_half_up(row.units_ceiling * row.unit_rate)
            self._limit_money("CLM-19", current, ceiling - sum_gross(on_row))
        contract = self.package.contract(line)
        if contract is not None and contract.ceiling is not None:
            on_contract = [j for j in done if j.line.claim.contract_number == line.claim.contract_number]
            self._limit_money("CLM-19", current, contract.ceiling - sum_gross(on_contract))

    def _limit_money(self, check: str, current: Judged, left: Decimal) -> None:
        allowed = max(ZERO, left)
        if current.gross > allowed:
            finding = current.findings.setdefault(check, Finding(check, "C"))
            finding.amount += current.gross - allowed
            current.gross = allowed

    # -- fee -------------------------------------------------------------------------------------------------

    def _fees(self, judged: list[Judged]) -> None:
        pools: dict[tuple[str, str], list[Judged]] = {}
        for current in judged:
            line = current.line
            assessment = self.package.assessment(line)
            if current.gross == 0 or assessment is None or line.service is None or line.service.free_for_all:
                continue
            if assessment.mode == "C":
                current.fee = current.gross
            elif assessment.mode == "D":
                pools.setdefault((line.recipient or "", month_of(line.service_date)), []).append(current)
        for members in pools.values():
            self._share_visible(members)

    def _share_visible(self, members: list[Judged]) -> None:
        visible = [j for j in members if j.line.claim.number not in self.reversed]
        self._share(visible)
        for number in {j.line.claim.number for j in members if j.line.claim.number in self.reversed}:
            hidden = [j for j in members if self._is_of(j, number) or j in visible]
            fees = {id(j): j.fee for j in visible}
            self._share(hidden)
            for j in visible:
                j.fee = fees[id(j)]

    def _is_of(self, judged: Judged, number: str) -> bool:
        return judged.line.claim.number == number

    def _share(self, members: list[Judged]) -> None:
        if not members:
            return
        line = members[0].line
        month = month_of(line.service_date)
        taken = [
            past.fee
            for past in self.history
            if past.line.recipient == line.recipient
            and month_of(past.line.service_date) == month
            and past.line.claim.number not in self.reversed
        ]
        assessment = self.package.assessment(line)
        assert assessment is not None
        limit = (assessment.monthly_limit or ZERO) - sum(taken, ZERO)
        pool = max(ZERO, min(limit, sum_gross(members)))
        for current, fee in zip(members, split(pool, [j.gross for j in members]), strict=True):
            current.fee = fee

    # -- output ----------------------------------------------------------------------------------------------

    def _write(self, judged: list[Judged], period: str, run: int, claims: list[Claim]) -> None:
        first = len(self.result.remittances)
        numbers = {j.line.claim.number: j.line.claim for j in judged}
        for claim in claims:
            numbers.setdefault(claim.number, claim)
        for current in judged:
            self.result.adjudications.append(adjudication_row(current, run, current.line.claim.number, 1))
            self.result.findings += [finding_row(current, finding) for finding in current.findings.values()]
        for number, claim in numbers.items():
            own = [j for j in judged if j.line.claim.number == number]
            if not claim.reverses:
                self.result.remittances.append(remittance_row(own, run, claim, 1))
                continue
            past = [j for j in self.history if j.line.claim.number == claim.reverses]
            self.result.adjudications += [adjudication_row(j, run, number, -1) for j in past]
            self.result.remittances.append(remittance_row(past, run, claim, -1))
        self._use_advances(period, run, self.result.remittances[first:], numbers)
        self._keep_back(period, run, self.result.remittances[first:])

    def _use_advances(self, period: str, run: int, remittances: list[dict[str, str]], claims: dict[str, Claim]) -> None:
        """What was paid before is used up first; a claim that takes another back gives back what that one had used."""
        taken_back = {claim.reverses for claim in claims.values() if claim.reverses}
        paired = {number for number, claim in claims.items() if number in taken_back or claim.reverses in claims}
        free = [row for row in remittances if row["claim_number"] not in paired]
        left = {row["claim_number"]: Decimal(row["payable"]) for row in free}
        used = dict.fromkeys((row["claim_number"] for row in remittances), ZERO)
        for number in used:
            used[number] -= self.advanced.get(claims[number].reverses, ZERO)
        for advance in self.package.rows("advances"):
            if (advance["period"], int(advance["run"])) != (period, run):
                continue
            own = sorted(number for number in left if claims[number].contract_number == advance["contract_number"])
            rest = {number: left[number] - used[number] for number in own}
            stands = min(Decimal(advance["outstanding"]), max(sum(rest.values()), ZERO))
            for number in own:
                part = min(stands, max(rest[number], ZERO))
                used[number], stands = used[number] + part, stands - part
        for row in remittances:
            part = used[row["claim_number"]]
            self.advanced[row["claim_number"]] = self.advanced.get(row["claim_number"], ZERO) + part
            row["offsets"], row["payable"] = f"{part:.2f}", f"{Decimal(row['payable']) - part:.2f}"

    def _keep_back(self, period: str, run: int, remittances: list[dict[str, str]]) -> None:
        """What a provider owes back is kept from what it gets in the run, claim by claim in order of numbers."""
        for debt in self.package.rows("clawbacks"):
            if (debt["period"], int(debt["run"])) != (period, run):
                continue
            own = [row for row in remittances if row["provider_code"] == debt["provider_code"]]
            left = min(Decimal(debt["outstanding"]), max(sum(Decimal(row["payable"]) for row in own), ZERO))
            for row in sorted(own, key=lambda row: row["claim_number"]):
                taken = min(left, max(Decimal(row["payable"]), ZERO))
                row["offsets"] = f"{Decimal(row['offsets']) + taken:.2f}"
                row["payable"] = f"{Decimal(row['payable']) - taken:.2f}"
                left -= taken


def recalculate(path: str | Path) -> Result:
    """Play every run of the package in ``path``."""
    return Settlement(Package.read(Path(path))).play_all()


def write(result: Result, folder: Path) -> None:
    """Write the three tables as CSV files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("adjudications", "findings", "remittances"):
        rows: list[dict[str, str]] = getattr(result, name)
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            if rows:
                writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)


def main(arguments: list[str]) -> None:
    """Print the number of rows, or write the tables when an output folder is given."""
    result = recalculate(arguments[0])
    if len(arguments) > 1:
        write(result, Path(arguments[1]))
    print(json.dumps({name: len(rows) for name, rows in vars(result).items()}))


if __name__ == "__main__":
    main(sys.argv[1:])
