# ruff: noqa: S608 - every piece of SQL is a constant; values are parameters
"""How decisions become rows: pends that persons lifted, findings that come as given, and what was owed back."""

from __future__ import annotations

from config.interchange.mapping import CLAIMS, CONTRACTS, OWN, PROVIDERS, link, refused, same, to
from config.interchange.specs import Check, Loader, Reference
from settlement.models import AdvanceStanding, ClawbackStanding, Clearance, GivenFinding
from settlement.rules.given import DECIDABLE

NAMED_LINE = "(SELECT l.id FROM settlement_claimline l WHERE l.claim_id = s.claim_number_id AND l.line = s.line)"

LINE_KNOWN = (
    Check("PARENT_REFUSED", "line", refused("claim_lines", "s.claim_number || '/' || s.line::text")),
    Check("REFERENCE", "line", f"{NAMED_LINE} IS NULL"),
)

OF_CLAIM = Reference("claim_number", "claims", CLAIMS)
# A row of the same check, line and run.
SAME_CHECK = f't.run = s.run AND t.check_code = s."check" AND t.claim_line_id = {NAMED_LINE}'
MADE_HERE = "EXISTS (SELECT 1 FROM settlement_claim c WHERE c.id = s.claim_number_id AND NOT c.imported)"
JUDGED_LATER = "EXISTS (SELECT 1 FROM settlement_claim c WHERE c.id = s.claim_number_id AND s.run < c.run)"
# The run of a row, when it has been played here.
PLAYED = """EXISTS (SELECT 1 FROM settlement_claim c JOIN settlement_adjudicationrun n
    ON n.organisation_id = c.organisation_id AND n.period = c.period
    WHERE c.id = s.claim_number_id AND n.number = s.run)"""

CLEARANCE = Loader(
    name="clearances",
    model=Clearance,
    fields=(
        *same("run", "decided_by", "reason"),
        to("", "claim_line_id", NAMED_LINE),
        to("check", "check_code", 's."check"'),
    ),
    constants={"organisation_id": "%(org)s", "given": "true"},
    references=(OF_CLAIM,),
    match=SAME_CHECK,
    checks=(
        *LINE_KNOWN,
        # A package names one person; a line that was claimed here takes two, who act here.
        Check(
            "CLAIMED_HERE",
            "claim_number",
            f"{MADE_HERE} AND NOT EXISTS (SELECT 1 FROM settlement_clearance t WHERE {SAME_CHECK})",
        ),
    ),
)

UNITS, AMOUNT = "(s.units * 1000)::bigint", "(s.amount * 100)::bigint"
FINDING_FIELDS = (
    *same("run", "severity", "detail"),
    to("", "claim_line_id", NAMED_LINE),
    to("check", "check_code", 's."check"'),
    to("units", "units", UNITS),
    to("amount", "amount", AMOUNT),
)
# A finding that a run of ours has written in the same words.
_SETTLED = (
    f'n.id = f.run_id AND n.number = s.run AND f.claim_line_id = {NAMED_LINE} AND f.check_code = s."check" '
    f"AND f.severity = s.severity AND f.units = {UNITS} AND f.amount = {AMOUNT}"
)
SETTLED = f"EXISTS (SELECT 1 FROM settlement_finding f, settlement_adjudicationrun n WHERE {_SETTLED})"
ALSO_SETTLED = (
    "FROM settlement_finding f, settlement_adjudicationrun n, settlement_finding t "
    f"WHERE t.id = f.id AND s.known_id IS NULL AND {_SETTLED}"
)
_NOT_GIVEN = f"NOT EXISTS (SELECT 1 FROM settlement_givenfinding t WHERE {SAME_CHECK})"

FINDING = Loader(
    name="findings",
    model=GivenFinding,
    fields=FINDING_FIELDS,
    constants={"organisation_id": "%(org)s"},
    references=(OF_CLAIM,),
    match=f"{SAME_CHECK} AND NOT {SETTLED}",
    also_known=ALSO_SETTLED,
    # These are recalculated.
    passed_over=("check", DECIDABLE),
    checks=(
        *LINE_KNOWN,
        Check(
            "TAKES",
            "amount",
            "s.severity = 'W' AND (s.units > 0 OR s.amount > 0) "
            "OR s.severity IN ('R', 'P') AND s.units = 0 AND s.amount > 0",
        ),
        Check("RUN_TOO_EARLY", "run", f"{JUDGED_LATER} AND {_NOT_GIVEN}"),
        Check("RUN_DONE", "run", f"{PLAYED} AND {_NOT_GIVEN} AND NOT {SETTLED}"),
    ),
)


def _standing(name: str, model: type[ClawbackStanding] | type[AdvanceStanding], column: str, of: Reference) -> Loader:
    """What was outstanding of an owner, the record ``of`` the ``column``, at a run."""
    match = f"{OWN} AND t.period = s.period AND t.run = s.run AND t.{column} = s.{of.column}_id"
    run = "n.organisation_id = %(org)s AND n.period = s.period AND n.number = s.run"
    return Loader(
        name=name,
        model=model,
        fields=(
            *same("period", "run"),
            link(of.column, column),
            to("outstanding", "outstanding_minor", "(s.outstanding * 100)::bigint"),
        ),
        constants={"organisation_id": "%(org)s", "given": "true"},
        references=(of,),
        match=match,
        checks=(
            Check("NOT_POSITIVE", "outstanding", "s.outstanding <= 0"),
            Check(
                "RUN_DONE",
                "run",
                f"EXISTS (SELECT 1 FROM settlement_adjudicationrun n WHERE {run}) "
                f"AND NOT EXISTS (SELECT 1 FROM {model._meta.db_table} t WHERE {match})",
            ),
        ),
    )


CLAWBACK = _standing("clawbacks", ClawbackStanding, "provider_id", Reference("provider_code", "providers", PROVIDERS))
ADVANCE = _standing("advances", AdvanceStanding, "contract_id", Reference("contract_number", "contracts", CONTRACTS))
