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

_CLEARED = f't.run = s.run AND t.check_code = s."check" AND t.claim_line_id = {NAMED_LINE}'

CLEARANCE = Loader(
    name="clearances",
    model=Clearance,
    fields=(
        *same("run", "decided_by", "reason"),
        to("", "claim_line_id", NAMED_LINE),
        to("check", "check_code", 's."check"'),
    ),
    constants={"organisation_id": "%(org)s", "given": "true"},
    references=(Reference("claim_number", "claims", CLAIMS),),
    match=_CLEARED,
    checks=(
        *LINE_KNOWN,
        # A package names one person; a line that was claimed here takes two, who act here.
        Check(
            "CLAIMED_HERE",
            "claim_number",
            "EXISTS (SELECT 1 FROM settlement_claim c WHERE c.id = s.claim_number_id AND NOT c.imported) "
            f"AND NOT EXISTS (SELECT 1 FROM settlement_clearance t WHERE {_CLEARED})",
        ),
    ),
)

_UNITS, _AMOUNT = "(s.units * 1000)::bigint", "(s.amount * 100)::bigint"
_GIVEN = f't.run = s.run AND t.check_code = s."check" AND t.claim_line_id = {NAMED_LINE}'
_NOT_GIVEN = f"NOT EXISTS (SELECT 1 FROM settlement_givenfinding t WHERE {_GIVEN})"
# A finding that a run of ours has written in the same words.
_SETTLED = (
    f'n.id = f.run_id AND n.number = s.run AND f.claim_line_id = {NAMED_LINE} AND f.check_code = s."check" '
    f"AND f.severity = s.severity AND f.units = {_UNITS} AND f.amount = {_AMOUNT}"
)
_NOT_SETTLED = f"NOT EXISTS (SELECT 1 FROM settlement_finding f, settlement_adjudicationrun n WHERE {_SETTLED})"

FINDING = Loader(
    name="findings",
    model=GivenFinding,
    fields=(
        *same("run", "severity", "detail"),
        to("", "claim_line_id", NAMED_LINE),
        to("check", "check_code", 's."check"'),
        to("units", "units", _UNITS),
        to("amount", "amount", _AMOUNT),
    ),
    constants={"organisation_id": "%(org)s"},
    references=(Reference("claim_number", "claims", CLAIMS),),
    match=f"{_GIVEN} AND {_NOT_SETTLED}",
    also_known="FROM settlement_finding f, settlement_adjudicationrun n, settlement_finding t "
    f"WHERE t.id = f.id AND s.known_id IS NULL AND {_SETTLED}",
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
        Check(
            "RUN_TOO_EARLY",
            "run",
            "EXISTS (SELECT 1 FROM settlement_claim c WHERE c.id = s.claim_number_id AND s.run < c.run) "
            f"AND {_NOT_GIVEN}",
        ),
        Check(
            "RUN_DONE",
            "run",
            "EXISTS (SELECT 1 FROM settlement_claim c JOIN settlement_adjudicationrun n "
            "ON n.organisation_id = c.organisation_id AND n.period = c.period "
            "WHERE c.id = s.claim_number_id AND n.number = s.run) "
            f"AND {_NOT_GIVEN} AND {_NOT_SETTLED}",
        ),
    ),
)

CLAWBACK = Loader(
    name="clawbacks",
    model=ClawbackStanding,
    fields=(
        *same("period", "run"),
        link("provider_code", "provider_id"),
        to("outstanding", "outstanding_minor", "(s.outstanding * 100)::bigint"),
    ),
    constants={"organisation_id": "%(org)s", "given": "true"},
    references=(Reference("provider_code", "providers", PROVIDERS),),
    match=f"{OWN} AND t.period = s.period AND t.run = s.run AND t.provider_id = s.provider_code_id",
    checks=(
        Check("NOT_POSITIVE", "outstanding", "s.outstanding <= 0"),
        Check(
            "RUN_DONE",
            "run",
            "EXISTS (SELECT 1 FROM settlement_adjudicationrun n WHERE n.organisation_id = %(org)s "
            "AND n.period = s.period AND n.number = s.run) AND NOT EXISTS (SELECT 1 FROM settlement_clawbackstanding t "
            f"WHERE {OWN} AND t.period = s.period AND t.run = s.run AND t.provider_id = s.provider_code_id)",
        ),
    ),
)

ADVANCE = Loader(
    name="advances",
    model=AdvanceStanding,
    fields=(
        *same("period", "run"),
        link("contract_number", "contract_id"),
        to("outstanding", "outstanding_minor", "(s.outstanding * 100)::bigint"),
    ),
    constants={"organisation_id": "%(org)s", "given": "true"},
    references=(Reference("contract_number", "contracts", CONTRACTS),),
    match=f"{OWN} AND t.period = s.period AND t.run = s.run AND t.contract_id = s.contract_number_id",
    checks=(
        Check("NOT_POSITIVE", "outstanding", "s.outstanding <= 0"),
        Check(
            "RUN_DONE",
            "run",
            "EXISTS (SELECT 1 FROM settlement_adjudicationrun n WHERE n.organisation_id = %(org)s "
            "AND n.period = s.period AND n.number = s.run) AND NOT EXISTS (SELECT 1 FROM settlement_advancestanding t "
            f"WHERE {OWN} AND t.period = s.period AND t.run = s.run AND t.contract_id = s.contract_number_id)",
        ),
    ),
)
