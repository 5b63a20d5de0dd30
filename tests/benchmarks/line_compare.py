"""The loop over objects beside the run: what each takes, and whether their answers are the same to the last unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.adjudicate_lines import Spent
from tests.benchmarks.line_loop import Judged, judge
from tests.benchmarks.line_registers import Registers

FIGURES = ("units_claimed", "units_allowed", "rate_claimed", "rate_allowed", "amount_claimed", "gross", "fee")


def _results(known: Registers, result: list[Judged]) -> tuple[list[Any], list[Any], list[Any]]:
    """Adjudications, findings and remittances as rows."""
    rows: list[tuple[Any, ...]] = []
    for judged in result:
        line = judged.line
        figures = (
            line.units_milli,
            judged.units,
            line.unit_rate_e4,
            judged.rate,
            judged.claimed,
            judged.value,
            judged.fee,
        )
        rows.append((line.claim_id, line.pk, *figures, judged.outcome))
    for row in known.taken_back:
        (taker,) = [claim.pk for claim in row.claim.reversals.all()]
        opposite = (-row.amount_claimed, -row.gross, -row.fee)
        kept = (row.units_claimed, row.units_allowed, row.rate_claimed, row.rate_allowed)
        rows.append((taker, row.claim_line_id, *kept, *opposite, row.outcome))
    findings = [(j.line.pk, code, *found) for j in result for code, found in j.findings.items()]
    return sorted(rows), sorted(findings), sorted(_remittances(known, rows))


def _remittances(known: Registers, rows: list[tuple[Any, ...]]) -> list[tuple[int, ...]]:
    """Claim, amount claimed, gross, fee, what advances and debts keep of it, what is payable."""
    sums = {claim.pk: [0, 0, 0] for claim in known.claims}
    for row in rows:
        for at in range(3):
            sums[row[0]][at] += row[6 + at]
    claims = sorted(known.claims, key=lambda claim: claim.number)
    left = {claim.pk: sums[claim.pk][1] - sums[claim.pk][2] for claim in claims}
    _keep(left, known.advanced, [(claim.pk, claim.contract_id) for claim in claims])
    _keep(left, known.owed, [(claim.pk, claim.provider_id) for claim in claims])
    return [(pk, *figures, figures[1] - figures[2] - left[pk], left[pk]) for pk, figures in sums.items()]


def _keep(left: dict[int, int], outstanding: dict[int, int], claims: list[tuple[int, int]]) -> None:
    """Lower what is left of claims by what their contracts or providers owe, at most what they get together."""
    for whose, owed in outstanding.items():
        own = [claim for claim, owner in claims if owner == whose]
        rest = min(owed, max(sum(left[claim] for claim in own), 0))
        for claim in own:
            kept = min(max(left[claim], 0), rest)
            left[claim], rest = left[claim] - kept, rest - kept


def _stored(run: Any) -> tuple[list[Any], list[Any], list[Any]]:
    adjudications = run.adjudications.values_list("claim_id", "claim_line_id", *FIGURES, "outcome")
    findings = run.findings.values_list("claim_line_id", "check_code", "severity", "units", "amount")
    remittances = run.remittances.values_list("claim_id", "amount_claimed", "gross", "fee", "offsets", "payable")
    return sorted(adjudications), sorted(findings), sorted(remittances)


@dataclass(frozen=True)
class Compared:
    """The run, what each way took, and the rows in which their answers differ."""

    run: Any
    loading: Spent
    looping: Spent
    running: Spent
    differing: int


def compare(run: Callable[[], Any], claims: list[Any]) -> Compared:
    """Load the claims' objects, judge them, then let the run do the same, and compare row by row."""
    known: list[Registers] = []
    result: list[Judged] = []
    played: list[Any] = []
    loading = Spent.on(lambda: known.append(Registers(claims, 1)))
    looping = Spent.on(lambda: result.extend(judge(known[0])))
    running = Spent.on(lambda: played.append(run()))
    pairs = zip(_results(known[0], result), _stored(played[0]), strict=True)
    return Compared(played[0], loading, looping, running, sum(_differing(ours, stored) for ours, stored in pairs))


def _differing(ours: list[Any], stored: list[Any]) -> int:
    """Rows that only one of them has, the first of them printed."""
    odd = [("loop", row) for row in (Counter(ours) - Counter(stored)).elements()]
    odd += [("run", row) for row in (Counter(stored) - Counter(ours)).elements()]
    for whose, row in sorted(odd, key=lambda one: one[1])[:20]:
        print(f"  only the {whose} has {row}")
    return len(odd)
