"""Random findings that come with a package: of checks that it cannot decide, and of some that it decides itself."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from tests.oracle.draft import Draft, Row
from tests.oracle.generate_claims import last_clearing_run

GIVEN = ("CLM-02", "CLM-23", "CLM-29", "CLM-30", "CLM-33", "CLM-34", "CLM-36", "CLM-40", "CLM-50")
RECALCULATED = ("CLM-12", "CLM-20", "CLM-11")
DETAILS = ("", "вагон 7, «скан» розмитий", '{"text": "the scan is blurred"}', '{"b":1,"a":[1.50,null]}', '{"a"', "[1]")


def add_findings(package: Draft) -> None:
    """On some lines, in the run that judges them or in another; some pends are lifted in the run after."""
    claims = {row["number"]: row for row in package.tables["claims"]}
    reversals = {row["reverses"]: row for row in claims.values() if row["reverses"]}
    for line in package.tables["claim_lines"]:
        claim = claims[line["claim_number"]]
        if not package.fault(0.2):
            continue
        run = int(claim["run"] or package.random.randint(1, 4))
        for check in package.random.sample(GIVEN, package.random.choice([1, 1, 2, 3])):
            row = _finding(package, run, line, check)
            if row["severity"] == "P" and package.chance(0.5):
                _lift(package, row, claim, reversals.get(claim["number"]))
        if package.chance(0.2):
            _finding(package, run, line, package.random.choice(RECALCULATED))


def _finding(package: Draft, run: int, line: Row, check: str) -> Row:
    severity = package.random.choice("RPCCCWW")
    units, amount = _taken(package, severity, Decimal(line["units"]), Decimal(line["unit_rate"]))
    return package.add(
        "findings",
        run=run,
        claim_number=line["claim_number"],
        line=line["line"],
        check=check,
        severity=severity,
        units=units,
        amount=amount,
        detail=package.random.choice(DETAILS),
    )


def _taken(package: Draft, severity: str, units: Decimal, rate: Decimal) -> tuple[Decimal, Decimal]:
    """Nothing, a part, all, or more than there is; of cuts also money alone."""
    part = package.random.choice([Decimal(0), Decimal("0.25"), Decimal("0.125"), units, units + 1])
    if severity == "W":
        return Decimal("0.000"), Decimal("0.00")
    if severity == "C" and package.chance(0.5):
        return Decimal("0.000"), package.random.choice([Decimal("0.01"), Decimal("12.34"), Decimal("99999.00")])
    return part.quantize(Decimal("0.001")), (part * rate).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _lift(package: Draft, finding: Row, claim: Row, reversal: Row | None) -> None:
    run = int(finding["run"]) + 1
    if claim["status"] == "submitted" and run <= last_clearing_run(claim, reversal):
        package.add(
            "clearances",
            run=run,
            claim_number=claim["number"],
            line=finding["line"],
            check=finding["check"],
            decided_by="Галина",
        )
