"""The receipt of a decision on a line: which rules, law, records and figures it rests on, as plain JSON.

What is stored (figures, findings, parameters, fingerprints) is told as stored; dated records are told as they were
known when the run was made. Amounts in minor units, units in thousandths, rates in ten-thousandths.
"""

from __future__ import annotations

from typing import Any

from settlement.explanations import LineExplained, WaterfallRow
from settlement.finding_bases import fee_decision, service_of
from settlement.line_queries import JudgedLine, LineSources, holding
from settlement.models import AdjudicationRun, ClaimLine
from settlement.rules.figures import LINE_FIGURES
from vouchers.models import FeeAssessment


def receipts_of(line: LineExplained, sources: LineSources) -> list[dict[str, Any]]:
    """One receipt for each run that judged the line, earliest first."""
    pairs = zip(line.history.judged, line.runs, strict=True)
    return [_receipt(line.line, judged, steps, sources) for judged, (_run, _words, steps) in pairs]


def _receipt(
    line: ClaimLine, judged: JudgedLine, steps: tuple[WaterfallRow, ...], sources: LineSources
) -> dict[str, Any]:
    row = judged.adjudication
    codes = {finding.check_code for finding in judged.findings}
    rules = row.run.receipt.get("rules", {})
    return {
        "run": _run(row.run),
        "input": _input(line),
        "records": _records(line, sources.known(row.run.known_at)),
        "parameters": row.run.parameters,
        "rules": {name: version for name, version in rules.items() if name == "engine" or name in codes},
        "facts": row.run.receipt.get("facts", {}),
        "steps": [_step(step) for step in steps],
        "findings": [
            {
                "check": found.check_code,
                "severity": found.severity,
                "units": found.units,
                "amount": found.amount,
                "detail": found.detail,
            }
            for found in judged.findings
        ],
        "result": {name: getattr(row, name) for name in (*LINE_FIGURES, "outcome")},
    }


def _run(run: AdjudicationRun) -> dict[str, Any]:
    return {
        "run": str(run),
        "as_of": run.as_of.isoformat(),
        "known_at": run.known_at.isoformat(),
        "recorded_at": run.recorded_at.isoformat(),
        "digest": run.digest,
    }


def _input(line: ClaimLine) -> dict[str, Any]:
    return {
        "claim": line.claim.number,
        "line": line.line,
        "service_date": line.service_date.isoformat(),
        "starts_at": line.starts_at.isoformat() if line.starts_at else "",
        "ends_at": line.ends_at.isoformat() if line.ends_at else "",
        "redemption": line.redemption_code,
        "certificate": line.certificate_number,
        "service": line.service_code,
        "worker": line.worker_code,
        "units": line.units_milli,
        "unit_rate": line.unit_rate_e4,
        "amount_e4": line.amount_e4,
    }


def _records(line: ClaimLine, sources: LineSources) -> dict[str, Any]:
    """Norm costs that could serve on the day, the price of the contract and the decision on the fee."""
    service = service_of(line, sources)
    norms = holding(sources.norms.get(service.pk, []), line.service_date) if service else []
    prices = sources.contract_lines.get((line.claim.contract_id or 0, service.pk), []) if service else []
    return {
        "norm_costs": [
            {
                "id": row.pk,
                "territory": row.territory_id,
                "recipient_class": row.recipient_class,
                "unit_rate": str(row.unit_rate),
                "act": row.act,
                **_dates(row),
            }
            for row in norms
        ],
        "prices": [
            {"id": row.pk, "contract": row.contract.number, "unit_rate": str(row.unit_rate), **_dates(row)}
            for row in holding(prices, line.service_date)
        ],
        "fee_decision": _fee(fee_decision(line, sources)),
    }


def _fee(row: FeeAssessment | None) -> dict[str, Any] | None:
    if row is None:
        return None
    limit = str(row.monthly_limit) if row.monthly_limit is not None else None
    return {"id": row.pk, "mode": row.mode, "monthly_limit": limit, "decision": row.decision, **_dates(row)}


def _dates(row: Any) -> dict[str, Any]:
    return {name: day.isoformat() if (day := getattr(row, name)) else None for name in ("valid_from", "valid_to")}


def _step(step: WaterfallRow) -> dict[str, Any]:
    basis = step.basis
    return {
        "kind": step.kind,
        "check": step.code,
        "severity": step.severity,
        "units": step.units,
        "amount": step.amount,
        "left": step.left,
        "words": step.sentence,
        "rests_on": basis.parameter,
        "act": basis.act,
        "since": basis.since.isoformat() if basis.since else None,
        "not_verified": basis.unverified,
        "ground": {"words": step.ground.words, "evidence": step.ground.evidence},
        "advice": step.advice,
    }
