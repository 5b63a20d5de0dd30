# ruff: noqa: S608 - every piece of SQL is a constant; values are parameters
"""How results of runs that came before the one whose facts a package has become rows: they are taken as told."""

from __future__ import annotations

from config.interchange.loaders_decisions import (
    ALSO_SETTLED,
    AMOUNT,
    FINDING_FIELDS,
    JUDGED_LATER,
    LINE_KNOWN,
    MADE_HERE,
    NAMED_LINE,
    OF_CLAIM,
    PLAYED,
    SAME_CHECK,
    SETTLED,
    UNITS,
)
from config.interchange.mapping import OWN, same, to
from config.interchange.specs import Check, Loader
from settlement.models import DecidedFinding, DecidedLine, DecidedRun
from settlement.rules.given import DECIDABLE

_RUN_TOLD = Check(
    "REFERENCE",
    "run",
    "NOT EXISTS (SELECT 1 FROM settlement_claim c JOIN settlement_decidedrun d "
    "ON d.organisation_id = c.organisation_id AND d.period = c.period "
    "WHERE c.id = s.claim_number_id AND d.run = s.run) "
    "AND NOT EXISTS (SELECT 1 FROM settlement_claim c JOIN stage_decided_runs d ON d.period = c.period "
    "WHERE c.id = s.claim_number_id AND d.run = s.run)",
)


def _run_done(known: str) -> Check:
    """A run that was played here without the row."""
    return Check("RUN_DONE", "run", f"{PLAYED} AND NOT ({known})")


def _judged_here(known: str) -> Check:
    """A claim that was made here is judged here; what runs here decided of it may stand in a package again."""
    return Check("JUDGED_HERE", "claim_number", f"{MADE_HERE} AND NOT ({known})")


_TURN_TAKEN = f"""EXISTS (SELECT 1 FROM settlement_decidedrun t WHERE {OWN} AND t.turn = s.turn
        AND (t.period, t.run) <> (s.period, s.run))
    OR EXISTS (SELECT 1 FROM stage_decided_runs o WHERE o.turn = s.turn AND o.row_no < s.row_no)"""

_DONE = "settlement_adjudicationrun n WHERE n.organisation_id = %(org)s AND n.period = s.period"
_OF_MONTH = "settlement_claim c WHERE c.organisation_id = %(org)s AND c.period = s.period"
# Neither told before nor played.
_NEW = f"""NOT EXISTS (SELECT 1 FROM settlement_decidedrun t WHERE {OWN} AND t.period = s.period AND t.run = s.run)
    AND NOT EXISTS (SELECT 1 FROM {_DONE} AND n.number = s.run)"""
_OTHERS = f"""(SELECT o.period, o.run, o.turn FROM stage_decided_runs o
    UNION SELECT t.period, t.run, t.turn FROM settlement_decidedrun t WHERE {OWN})"""
# A month is played by the numbers of its runs: a turn against them, or a run between of which nothing is told, would
# let the run wait for ever.
_OUT_OF_ORDER = f"""EXISTS (SELECT 1 FROM {_OTHERS} o WHERE o.period = s.period
        AND (o.run < s.run AND o.turn > s.turn OR o.run > s.run AND o.turn < s.turn))
    OR EXISTS (SELECT 1 FROM {_OF_MONTH} AND c.status = 'submitted' AND c.run < s.run
        AND NOT EXISTS (SELECT 1 FROM {_OTHERS} o WHERE o.period = c.period AND o.run = c.run))"""
_TOLD_LINES = """settlement_decidedline d JOIN settlement_claimline l ON l.id = d.claim_line_id
    JOIN settlement_claim c ON c.id = l.claim_id WHERE d.run = s.run
    AND c.organisation_id = %(org)s AND c.period = s.period"""
_NOTHING_TO_PLAY = f"""NOT EXISTS (SELECT 1 FROM {_OF_MONTH} AND c.status = 'submitted' AND c.run = s.run)
    AND NOT EXISTS (SELECT 1 FROM {_TOLD_LINES} AND EXISTS (SELECT 1 FROM settlement_clearance x
        WHERE x.claim_line_id = l.id AND x.run <= s.run))"""
_LINE_MISSING = """EXISTS (SELECT 1 FROM settlement_claim c JOIN settlement_claimline l ON l.claim_id = c.id
    WHERE c.organisation_id = %(org)s AND c.period = s.period AND c.run = s.run AND c.status = 'submitted'
      AND NOT EXISTS (SELECT 1 FROM settlement_decidedline d WHERE d.claim_line_id = l.id AND d.run = s.run))"""
# Rounded once, half up, as what was claimed is.
_UNEVEN = f"""EXISTS (SELECT 1 FROM {_TOLD_LINES}
    AND div(l.units_milli::numeric * l.unit_rate_e4 + 50000, 100000) <> d.gross + COALESCE(
        (SELECT sum(f.amount) FROM settlement_decidedfinding f
         WHERE f.claim_line_id = l.id AND f.run = d.run AND f.severity <> 'W'), 0))"""

# Comes after its lines and findings: a run is taken as a whole or not at all.
DECIDED_RUN = Loader(
    name="decided_runs",
    model=DecidedRun,
    fields=same("period", "run", "turn"),
    constants={"organisation_id": "%(org)s"},
    match=f"{OWN} AND t.period = s.period AND t.run = s.run",
    also_known="FROM settlement_adjudicationrun t WHERE s.known_id IS NULL "
    f"AND {OWN} AND t.period = s.period AND t.number = s.run",
    checks=(
        Check("DUPLICATE_KEY", "turn", _TURN_TAKEN),
        Check(
            "MONTH_HELD_HERE",
            "period",
            f"{_NEW} AND EXISTS (SELECT 1 FROM {_OF_MONTH} AND NOT c.imported "
            "AND c.status NOT IN ('draft', 'withdrawn'))",
        ),
        Check("RUN_DONE", "run", f"{_NEW} AND EXISTS (SELECT 1 FROM {_DONE} AND n.number > s.run)"),
        Check("RUN_ORDER", "turn", f"{_NEW} AND ({_OUT_OF_ORDER})"),
        Check("RUN_INCOMPLETE", "run", f"{_NEW} AND ({_NOTHING_TO_PLAY} OR {_LINE_MISSING} OR {_UNEVEN})"),
    ),
)

_LINE = f"t.run = s.run AND t.claim_line_id = {NAMED_LINE}"
_UNITS, _RATE = "(s.units_allowed * 1000)::bigint", "(s.rate_allowed * 10000)::bigint"
_GROSS, _FEE = "(s.gross * 100)::bigint", "(s.fee * 100)::bigint"
_LINE_DECIDED = (
    f"n.id = a.run_id AND n.number = s.run AND a.claim_line_id = {NAMED_LINE} AND a.reverses_id IS NULL "
    f"AND (a.units_allowed, a.rate_allowed, a.gross, a.fee, a.outcome) "
    f"= ({_UNITS}, {_RATE}, {_GROSS}, {_FEE}, s.outcome)"
)

_LINE_KNOWN_SO = (
    f"EXISTS (SELECT 1 FROM settlement_decidedline t WHERE {_LINE}) OR EXISTS (SELECT 1 "
    f"FROM settlement_adjudication a, settlement_adjudicationrun n WHERE {_LINE_DECIDED})"
)
# Units, rate and amount that a line can have been allowed; rounded once, half up.
_TOO_MUCH = f"""EXISTS (SELECT 1 FROM settlement_claimline l WHERE l.id = {NAMED_LINE}
    AND (l.units_milli < {_UNITS} OR l.unit_rate_e4 < {_RATE}
      OR {_GROSS} > div({_UNITS}::numeric * {_RATE} + 50000, 100000)))"""

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
    references=(OF_CLAIM,),
    match=_LINE,
    also_known="FROM settlement_adjudication a, settlement_adjudicationrun n, settlement_adjudication t "
    f"WHERE t.id = a.id AND s.known_id IS NULL AND {_LINE_DECIDED}",
    checks=(
        *LINE_KNOWN,
        _RUN_TOLD,
        Check("RUN_TOO_EARLY", "run", JUDGED_LATER),
        Check("FEE_TOO_HIGH", "fee", "s.fee > s.gross"),
        _judged_here(_LINE_KNOWN_SO),
        Check("ALLOWED_TOO_MUCH", "gross", _TOO_MUCH),
        _run_done(_LINE_KNOWN_SO),
    ),
)

_FINDING_KNOWN_SO = f"EXISTS (SELECT 1 FROM settlement_decidedfinding t WHERE {SAME_CHECK}) OR {SETTLED}"

DECIDED_FINDING = Loader(
    name="decided_findings",
    model=DecidedFinding,
    fields=FINDING_FIELDS,
    constants={"organisation_id": "%(org)s"},
    references=(OF_CLAIM,),
    match=SAME_CHECK,
    also_known=ALSO_SETTLED,
    checks=(
        *LINE_KNOWN,
        _RUN_TOLD,
        _judged_here(_FINDING_KNOWN_SO),
        _run_done(_FINDING_KNOWN_SO),
    ),
    # Where the line is judged anew some day, what a package cannot decide comes with it as always.
    after=(
        "INSERT INTO settlement_givenfinding (organisation_id, run, claim_line_id, check_code, severity, units, "
        f'amount, detail, recorded_at) SELECT %(org)s, s.run, {NAMED_LINE}, s."check", s.severity, {UNITS}, '
        f"{AMOUNT}, s.detail, %(known)s::timestamptz FROM stage_decided_findings s WHERE s.known_id IS NULL "
        f"""AND s."check" NOT IN ({", ".join(f"'{check}'" for check in sorted(DECIDABLE))}) """
        "ORDER BY s.row_no ON CONFLICT (claim_line_id, run, check_code) DO NOTHING",
    ),
)
