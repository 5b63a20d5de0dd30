"""One run: facts in, adjudications, findings and remittances out. Pure; the order of input rows changes no
figure.

The steps are those of RUN-1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from settlement.rules import advances, checks, given
from settlement.rules.ceilings import cut_money, cut_units
from settlement.rules.comparison import Comparison
from settlement.rules.facts import Facts, Ints, Mask, column
from settlement.rules.findings import CUT, PEND, REJECT
from settlement.rules.frame import Frame
from settlement.rules.lookup import Register, pick
from settlement.rules.own import Own
from settlement.rules.parameters import Parameters
from settlement.rules.waterfall import Waterfall

ACCEPTED, REDUCED, REJECTED, PENDED = "accepted", "reduced", "rejected", "pended"
OUTCOMES = (ACCEPTED, REDUCED, REJECTED, PENDED)
# A check's code and what it does to the waterfall.
Step = tuple[str, Callable[[], None]]
FIGURES = ("amount_claimed", "reductions", "pended", "gross", "fee", "payable")


@dataclass(frozen=True, eq=False)
class AdjudicationResult:
    """Tables of integers (units thousandths, rates ten-thousandths, money hundredths).

    adjudications: id, claim, line, units_claimed, units_allowed, rate_claimed, rate_allowed, amount_claimed,
    reductions (R and C), pended (P), gross, fee, payable, outcome; ``reversal`` 1 on rows that take back a
    claim. findings: id, claim, line, check, severity, units, amount, detail (compact JSON). remittances:
    claim, provider, amount_claimed, reductions, pended, gross, fee, offsets, payable; ``advances``: the part of
    offsets that is used of advances, negative where it is given back.
    """

    adjudications: pd.DataFrame
    findings: pd.DataFrame
    remittances: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Unseen:
    """A claim that is reversed already: it sees the others, judged before it, and they do not see it."""

    claim: int
    others: pd.DataFrame


def adjudicate(facts: Facts, *, parameters: Parameters) -> AdjudicationResult:
    """Judge all lines of one run together.

    Money: exact integers; every value is rounded once, half up to 0.01.
    Idempotent: equal facts give equal tables, whatever the order of their rows.
    Source: RUN-1, SET-1.
    Raises: ValueError when a line's claim is not among the facts.
    """
    gone = facts.claims.loc[facts.claims["reversed"] == 1, "claim"]
    hidden = facts.lines["claim"].isin(gone)
    parts = [_judge(replace(facts, lines=facts.lines[~hidden]) if hidden.any() else facts, parameters)]
    for claim in sorted(facts.lines.loc[hidden, "claim"].unique()):
        own = facts.lines["claim"] == claim
        seen = replace(facts, lines=facts.lines[~hidden | own])
        parts.append(_judge(seen, parameters, Unseen(int(claim), parts[0][0])))
    adjudications = _joined([part[0] for part in parts])
    return completed(facts, adjudications, _joined([part[1] for part in parts]))


def completed(facts: Facts, adjudications: pd.DataFrame, findings: pd.DataFrame) -> AdjudicationResult:
    """A run of which every line is decided: with what it takes back, and what each claim gets."""
    adjudications = _joined([adjudications, _reversals(facts, adjudications)])
    return AdjudicationResult(adjudications, findings, _remittances(facts, adjudications))


def _judge(facts: Facts, parameters: Parameters, unseen: Unseen | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Adjudications and findings of lines that see each other; with ``unseen``, of its claim alone."""
    frame = Frame(facts, parameters)
    waterfall = Waterfall(frame)
    for rate_check in checks.RATES:
        waterfall.lower_rates(rate_check)
    rejected, found = _reject(frame, waterfall)
    pended = _pend(frame, waterfall, found)
    judged, units, gross = _standing(frame, unseen)
    _in_code_order(waterfall, [], (*given.unit_cuts(frame), *found.unit_cuts))
    _cut_units(frame, waterfall, judged, np.where(judged, waterfall.units, units))
    _take_money(waterfall, (*given.money_cuts(frame), *found.money_cuts))
    value = np.where(waterfall.units > 0, waterfall.value, 0)
    _take_money(waterfall, found.grant_cuts(judged, np.where(judged, value, gross)))
    _take_money(waterfall, (*given.warnings(frame), *found.warnings))
    value = np.where(waterfall.units > 0, waterfall.value, 0)
    _cut_money(frame, waterfall, judged, np.where(judged, value, gross))
    fee = checks.FEE.deducted(frame, np.where(judged, waterfall.value, gross))
    _take_money(waterfall, found.fee_warnings(fee))
    adjudications = _adjudications(frame, waterfall, rejected, pended, fee)
    findings = waterfall.findings.table(frame)
    if unseen is None:
        return adjudications, findings
    first, second = (table[table["claim"] == unseen.claim] for table in (adjudications, findings))
    return first, second


def _standing(frame: Frame, unseen: Unseen | None) -> tuple[Mask, Ints, Ints]:
    """Which lines are judged, and the allowed units and gross of those that stand already."""
    if unseen is None:
        return np.ones(frame.size, dtype=bool), frame.units, frame.units
    rows = Register(column(unseen.others, "id")).rows(frame.id)
    others = unseen.others
    units, gross = (pick(column(others, name), rows, 0) for name in ("units_allowed", "gross"))
    return frame.claim == unseen.claim, units, gross


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Tables one below the other, categories kept."""
    if len(tables) == 1:
        return tables[0]
    filled = [table for table in tables if len(table)] or tables[:1]
    whole = pd.concat(filled, ignore_index=True)
    for name in set(whole.columns) & {"check", "severity", "outcome"}:
        parts = [table[name] for table in filled]
        whole[name] = union_categoricals(parts, ignore_order=True)
    return whole


def _reject(frame: Frame, waterfall: Waterfall) -> tuple[Mask, Own]:
    """Step 2. Returns the lines that some check rejects, in whole or in part, and what our own checks found."""
    fired = {check.CODE: check.find(frame) for check in checks.ALONE}
    brought = given.rejections(frame)
    found = Own(frame, ~np.logical_or.reduce([given.lines_of(frame, brought), *fired.values()]))
    brought += found.rejections
    named = given.lines_of(frame, brought)
    clean = ~np.logical_or.reduce([named, *fired.values()])
    frame.comparison = Comparison(frame, clean)
    for check in checks.REJECTIONS:
        if check.CODE not in fired:
            fired[check.CODE] = check.find(frame)
    parts = _overlap_units(frame)
    steps: list[Step] = [
        (check.CODE, partial(waterfall.take_units, check, REJECT, fired[check.CODE], parts.get(check.CODE)))
        for check in checks.REJECTIONS
    ]
    _in_code_order(waterfall, steps, brought)
    return np.logical_or.reduce([named, *fired.values()]), found


def _in_code_order(waterfall: Waterfall, steps: list[Step], brought: Iterable[given.Given]) -> None:
    """Checks of ours and findings that came with the facts take turns by their codes."""
    more: list[Step] = [(part.check, partial(waterfall.take_given, part)) for part in brought]
    for _code, take in sorted((*steps, *more), key=lambda step: step[0]):
        take()


def _take_money(waterfall: Waterfall, cuts: Iterable[given.Given]) -> None:
    """Money alone, in code order; warnings take none."""
    for cut in sorted(cuts, key=lambda cut: cut.check):
        waterfall.take_given_money(cut)


def _overlap_units(frame: Frame) -> dict[str, Ints]:
    """Units that overlaps take: of hour services the rounded hours, each check what exceeds the one before
    it; of other services all.
    """
    result, counted = {}, np.zeros(frame.size, dtype=np.int64)
    for check in checks.OVERLAPS:
        hours = check.hours(frame)
        result[check.CODE] = np.where(frame.in_hours, np.maximum(hours - counted, 0), frame.units)
        counted = np.maximum(hours, counted)
    return result


def _pend(frame: Frame, waterfall: Waterfall, found: Own) -> Mask:
    """Step 3. Returns the lines from which a pend took units."""
    before = waterfall.units.copy()
    steps: list[Step] = []
    for check in checks.PENDS:
        fired = check.find_pend(frame) & ~frame.lifted(checks.number_of(check))
        steps.append((check.CODE, partial(waterfall.take_units, check, PEND, fired)))
    _in_code_order(waterfall, steps, (*given.pends(frame), *found.pends))
    return waterfall.units < before


def _cut_units(frame: Frame, waterfall: Waterfall, judged: Mask, demand: Ints) -> None:
    """Step 4."""
    cuts = cut_units(
        demand=demand,
        judged=judged,
        visits=frame.visit_key,
        granularity=frame.granularity,
        ceilings=tuple(ceiling for check in checks.UNIT_CEILINGS for ceiling in check.ceilings(frame)),
        rounding=checks.number_of(checks.GRANULARITY),
    )
    for check in (*checks.UNIT_CEILINGS, checks.GRANULARITY):
        waterfall.cut_units(check, cuts[checks.number_of(check)])


def _cut_money(frame: Frame, waterfall: Waterfall, judged: Mask, demand: Ints) -> None:
    """Step 5."""
    ceilings = tuple(ceiling for check in checks.MONEY_CEILINGS for ceiling in check.ceilings(frame))
    cuts = cut_money(demand=demand, judged=judged, ceilings=ceilings)
    for check in checks.MONEY_CEILINGS:
        waterfall.cut_money(check, cuts[checks.number_of(check)])


def _adjudications(frame: Frame, waterfall: Waterfall, rejected: Mask, pended: Mask, fee: Ints) -> pd.DataFrame:
    gross, findings = waterfall.value, waterfall.findings
    outcome = np.select(
        [pended, (waterfall.units == 0) & rejected, gross < frame.amount_claimed],
        [OUTCOMES.index(PENDED), OUTCOMES.index(REJECTED), OUTCOMES.index(REDUCED)],
        OUTCOMES.index(ACCEPTED),
    )
    return pd.DataFrame(
        {
            "id": frame.id,
            "claim": frame.claim,
            "line": frame.line,
            "units_claimed": frame.units,
            "units_allowed": waterfall.units,
            "rate_claimed": frame.unit_rate,
            "rate_allowed": waterfall.rates,
            "amount_claimed": frame.amount_claimed,
            "reductions": findings.total(REJECT, CUT),
            "pended": findings.total(PEND),
            "gross": gross,
            "fee": fee,
            "payable": gross - fee,
            "outcome": pd.Categorical.from_codes(outcome, categories=pd.Index(OUTCOMES)),
            "reversal": np.zeros(frame.size, dtype=np.int64),
        },
        # To lay a million rows of numbers side by side again takes as long as several checks.
        copy=False,
    )


def _reversals(facts: Facts, adjudications: pd.DataFrame) -> pd.DataFrame:
    """The adjudications of reversed claims again, with opposite amounts, under the reversing claims."""
    earlier = facts.reversals.rename(columns={"line_id": "id"}).assign(payable=0, reversal=1)
    earlier["payable"] = earlier["gross"] - earlier["fee"]
    taking_back = facts.claims.loc[facts.claims["reverses"] >= 0, ["claim", "reverses"]]
    now = adjudications.merge(
        taking_back.rename(columns={"claim": "taker", "reverses": "claim"}), on="claim", how="inner"
    )
    now = now.assign(claim=now["taker"], reversal=1).drop(columns="taker")
    both = pd.concat(
        [earlier[list(adjudications.columns)].astype({"outcome": "object"}), now.astype({"outcome": "object"})],
        ignore_index=True,
    )
    both[list(FIGURES)] = -both[list(FIGURES)].astype("int64")
    both["outcome"] = pd.Categorical(both["outcome"], categories=list(OUTCOMES))
    return both


def _remittances(facts: Facts, adjudications: pd.DataFrame) -> pd.DataFrame:
    """One row a claim of the run, also for a claim without lines."""
    sums = adjudications.groupby("claim")[list(FIGURES)].sum()
    order = facts.claims.sort_values("number", kind="stable")
    table = pd.DataFrame({"claim": column(order, "claim"), "provider": column(order, "provider")})
    sums = sums.reindex(table["claim"], fill_value=0).astype("int64").reset_index(drop=True)
    used = advances.used(facts, order, column(sums, "payable"))
    kept = used + _offsets(facts, column(table, "provider"), column(sums, "payable") - used)
    table = pd.concat([table, sums.assign(payable=sums["payable"] - kept)], axis=1)
    return table.assign(offsets=kept, advances=used)[[*table.columns[:-1], "offsets", "payable", "advances"]]


def _offsets(facts: Facts, providers: Ints, payables: Ints) -> Ints:
    """Step 8: what is kept back of each remittance, in the order of claim numbers, after advances are used up."""
    kept = np.zeros(len(payables), dtype=np.int64)
    owed = (column(facts.clawbacks, name) for name in ("provider", "outstanding"))
    for provider, outstanding in zip(*owed, strict=True):
        rows = np.flatnonzero(providers == provider)
        kept[rows] = checks.OFFSET.offsets(payables[rows].tolist(), outstanding=int(outstanding))
    return kept
