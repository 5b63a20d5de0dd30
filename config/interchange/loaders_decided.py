# ruff: noqa: S608 - every piece of SQL is a constant; values are parameters
"""How results of runs that came before the one whose facts a package has become rows: they are taken as told."""

from __future__ import annotations

from config.interchange.loaders_decisions import LINE_KNOWN, NAMED_LINE
from config.interchange.mapping import CLAIMS, OWN, same, to
from config.interchange.specs import Check, Loader, Reference
from settlement.models import DecidedFinding, DecidedLine, DecidedRun
from settlement.rules.given import DECIDABLE

_OF_CLAIM = Reference("claim_number", "claims", CLAIMS)
# The run of a row, when it has been played here.
_PLAYED = """EXISTS (SELECT 1 FROM settlement_claim c JOIN settlement_adjudicationrun n
    ON n.organisation_id = c.organisation_id AND n.period = c.period
    WHERE c.id = s.claim_number_id AND n.number = s.run)"""
_RUN_TOLD = Check(
    "REFERENCE",
    "run",
    "NOT EXISTS (SELECT 1 FROM settlement_claim c JOIN settlement_decidedrun d "
    "ON d.organisation_id = c.organisation_id AND d.period = c.period "
    "WHERE c.id = s.claim_number_id AND d.run = s.run)",
)
_TOO_EARLY = Check(
    "RUN_TOO_EARLY",
    "run",
    "EXISTS (SELECT 1 FROM settlement_claim c WHERE c.id = s.claim_number_id AND s.run < c.run)",
)


def _run_done(known: str) -> Check:
    """A run that was played here without the row."""
    return Check("RUN_DONE", "run", f"{_PLAYED} AND NOT ({known})")


_TURN_TAKEN = f"""EXISTS (SELECT 1 FROM settlement_decidedrun t WHERE {OWN} AND t.turn = s.turn
        AND (t.period, t.run) <> (s.period, s.run))
    OR EXISTS (SELECT 1 FROM stage_decided_runs o WHERE o.turn = s.turn AND o.row_no < s.row_no)"""

DECIDED_RUN = Loader(
    name="decided_runs",
    model=DecidedRun,
    fields=same("period", "run", "turn"),
    constants={"organisation_id": "%(org)s"},
    match=f"{OWN} AND t.period = s.period AND t.run = s.run",
    checks=(Check("DUPLICATE_KEY", "turn", _TURN_TAKEN),),
)

_LINE = f"t.run = s.run AND t.claim_line_id = {NAMED_LINE}"
_UNITS, _RATE = "(s.units_allowed * 1000)::bigint", "(s.rate_allowed * 10000)::bigint"
_GROSS, _FEE = "(s.gross * 100)::bigint", "(s.fee * 100)::bigint"
_LINE_DECIDED = (
    f"n.id = a.run_id AND n.number = s.run AND a.claim_line_id = {NAMED_LINE} AND a.reverses_id IS NULL "
    f"AND (a.units_allowed, a.rate_allowed, a.gross, a.fee, a.outcome) "
    f"= ({_UNITS}, {_RATE}, {_GROSS}, {_FEE}, s.outcome)"
)

DECIDED_LINE = Loader(
    name="decided_lines",
    model=DecidedLine,
    fields=(
        *same("run", "outcome"),
        to("", "claim_line_id", NAMED_LINE),
        to("units_allowed", "units_allowed", _UNITS),
        to("rate_allowed", "rate_allowed", _RATE),
        to("gross", "gross", _GROSS),
        to("fee", "fee", _FEE),
    ),
    constants={"organisation_id": "%(org)s"},
    references=(_OF_CLAIM,),
    match=_LINE,
    also_known="FROM settlement_adjudication a, settlement_adjudicationrun n, settlement_adjudication t "
    f"WHERE t.id = a.id AND s.known_id IS NULL AND {_LINE_DECIDED}",
    checks=(
        *LINE_KNOWN,
        _RUN_TOLD,
        _TOO_EARLY,
        Check("FEE_TOO_HIGH", "fee", "s.fee > s.gross"),
        _run_done(
            f"EXISTS (SELECT 1 FROM settlement_decidedline t WHERE {_LINE}) OR EXISTS (SELECT 1 "
            f"FROM settlement_adjudication a, settlement_adjudicationrun n WHERE {_LINE_DECIDED})"
        ),
    ),
)

_FINDING_UNITS, _AMOUNT = "(s.units * 1000)::bigint", "(s.amount * 100)::bigint"
_FOUND = f'{_LINE} AND t.check_code = s."check"'
_FINDING_DECIDED = (
    f'n.id = f.run_id AND n.number = s.run AND f.claim_line_id = {NAMED_LINE} AND f.check_code = s."check" '
    f"AND f.severity = s.severity AND f.units = {_FINDING_UNITS} AND f.amount = {_AMOUNT}"
)

DECIDED_FINDING = Loader(
    name="decided_findings",
    model=DecidedFinding,
    fields=(
        *same("run", "severity", "detail"),
        to("", "claim_line_id", NAMED_LINE),
        to("check", "check_code", 's."check"'),
        to("units", "units", _FINDING_UNITS),
        to("amount", "amount", _AMOUNT),
    ),
    constants={"organisation_id": "%(org)s"},
    references=(_OF_CLAIM,),
    match=_FOUND,
    also_known="FROM settlement_finding f, settlement_adjudicationrun n, settlement_finding t "
    f"WHERE t.id = f.id AND s.known_id IS NULL AND {_FINDING_DECIDED}",
    checks=(
        *LINE_KNOWN,
        _RUN_TOLD,
        _run_done(
            f"EXISTS (SELECT 1 FROM settlement_decidedfinding t WHERE {_FOUND}) OR EXISTS (SELECT 1 "
            f"FROM settlement_finding f, settlement_adjudicationrun n WHERE {_FINDING_DECIDED})"
        ),
    ),
    # Where the line is judged anew some day, what a package cannot decide comes with it as always.
    after=(
        "INSERT INTO settlement_givenfinding (organisation_id, run, claim_line_id, check_code, severity, units, "
        f'amount, detail, recorded_at) SELECT %(org)s, s.run, {NAMED_LINE}, s."check", s.severity, {_FINDING_UNITS}, '
        f"{_AMOUNT}, s.detail, %(known)s::timestamptz FROM stage_decided_findings s WHERE s.known_id IS NULL "
        f"""AND s."check" NOT IN ({", ".join(f"'{check}'" for check in sorted(DECIDABLE))}) """
        "ORDER BY s.row_no ON CONFLICT (claim_line_id, run, check_code) DO NOTHING",
    ),
)
