"""A claim once more: the same evidence, judged anew in place of one that is taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from config.audit.actors import Actor
from config.transactions import step
from settlement.actions.claims import hand_in, new_claim
from settlement.models import Claim
from settlement.term_queries import counted_at

# Of the whole claim with the numbers of its lines; some lines are numbered anew.
_LINES = """
INSERT INTO settlement_claimline (claim_id, line, redemption_code, certificate_number, service_code, service_date,
    starts_at, ends_at, worker_code, units_milli, unit_rate_e4, amount_e4, redemption_id, certificate_id, service_id,
    worker_id)
SELECT %(claim)s, CASE WHEN %(lines)s::bigint[] IS NULL THEN l.line ELSE row_number() OVER (ORDER BY l.line) END,
    l.redemption_code, l.certificate_number, l.service_code, l.service_date, l.starts_at, l.ends_at, l.worker_code,
    l.units_milli, l.unit_rate_e4, l.amount_e4, l.redemption_id, l.certificate_id, l.service_id, l.worker_id
FROM settlement_claimline l
WHERE l.claim_id = %(of)s AND (%(lines)s::bigint[] IS NULL OR l.id = ANY(%(lines)s)) ORDER BY l.line
"""
_PAIRS = """settlement_claimline l JOIN settlement_claimline n ON n.claim_id = %(claim)s AND n.line = l.line
    AND l.claim_id = %(of)s"""
# What two persons have lifted stays lifted.
_CLEARANCES = f"""
INSERT INTO settlement_clearance (organisation_id, run, claim_line_id, check_code, decided_by, reason, given,
    recorded_at)
SELECT x.organisation_id, x.run, n.id, x.check_code, x.decided_by, x.reason, true, x.recorded_at
FROM {_PAIRS} JOIN settlement_clearance x ON x.claim_line_id = l.id
"""  # noqa: S608  put together from texts of this file
# Findings that came with a package come again with the run that judges the copy.
_GIVEN = f"""
INSERT INTO settlement_givenfinding (organisation_id, run, claim_line_id, check_code, severity, units, amount, detail,
    recorded_at)
SELECT DISTINCT ON (n.id, g.check_code) g.organisation_id, %(run)s, n.id, g.check_code, g.severity, g.units, g.amount,
    g.detail, g.recorded_at
FROM {_PAIRS} JOIN settlement_givenfinding g ON g.claim_line_id = l.id
WHERE g.run = (SELECT r.number FROM settlement_adjudication a JOIN settlement_adjudicationrun r ON r.id = a.run_id
    WHERE a.claim_line_id = l.id AND a.reverses_id IS NULL ORDER BY a.id DESC LIMIT 1)
ORDER BY n.id, g.check_code
"""  # noqa: S608
# Papers and declarations count from when they were handed in.
_PAPERS = """
INSERT INTO office_attachment (organisation_id, label, kind, name, content_type, size, sha256, uploaded_by_id,
    uploaded_at)
SELECT organisation_id, 'settlement.claim:' || %(claim)s, kind, name, content_type, size, sha256, uploaded_by_id,
    uploaded_at
FROM office_attachment WHERE label = 'settlement.claim:' || %(of)s AND kind NOT LIKE 'letter%%' ORDER BY id
"""
_DECLARATIONS = """
INSERT INTO settlement_claimdeclaration (claim_id, document_number, total_minor, vat_minor, recorded_at, recorded_by_id)
SELECT %(claim)s, document_number, total_minor, vat_minor, recorded_at, recorded_by_id
FROM settlement_claimdeclaration WHERE claim_id = %(of)s ORDER BY id
"""
_FEE_REPORTS = """
INSERT INTO settlement_feereport (claim_id, recipient_id, collected_minor, recorded_at, recorded_by_id)
SELECT %(claim)s, recipient_id, collected_minor, recorded_at, recorded_by_id
FROM settlement_feereport WHERE claim_id = %(of)s ORDER BY id
"""


@step
def copy_lines(claim: Claim, lines: Sequence[int], *, submitted_by_id: int | None, actor: Actor, at: datetime) -> Claim:
    """A claim of some lines, handed in when the first one counts as handed in."""
    made = _shell(claim, actor, at)
    _run((_LINES,), {"claim": made.pk, "of": claim.pk, "lines": list(lines)})
    hand_in(made, submitted_at=counted_at(claim) or at, submitted_by_id=submitted_by_id, at=at)
    return made


@step
def copy_claim(
    claim: Claim, *, submitted_by_id: int | None, actor: Actor, at: datetime, run: int | None = None
) -> Claim:
    """The whole claim with its papers, declarations and lifted pends, handed in when the first one counts as handed in.

    ``run``: the number of the run that will judge it, where findings that came with a package come with it.
    """
    made = _shell(claim, actor, at)
    params: dict[str, Any] = {"claim": made.pk, "of": claim.pk, "lines": None, "run": run}
    _run((_LINES, _CLEARANCES, _PAPERS, _DECLARATIONS, _FEE_REPORTS), params)
    if run is not None:
        _run((_GIVEN,), params)
    hand_in(made, submitted_at=counted_at(claim) or at, submitted_by_id=submitted_by_id, at=at)
    return made


@step
def _shell(claim: Claim, actor: Actor, at: datetime) -> Claim:
    made = new_claim(claim.organisation, claim.provider, claim.contract, claim.period, actor, at)
    made.contract_number, made.imported = claim.contract_number, claim.imported
    made.save(update_fields=["contract_number", "imported"])
    return made


@step
def _run(statements: Sequence[str], params: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, params)
