"""What the descriptor of a package says of tables that only some packages have, for those who recalculate from it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Description:
    """Of a table and of its columns."""

    title: str
    text: str
    columns: dict[str, str] = field(default_factory=dict)


FACTS = (
    "The tables hold the facts as they were known at this moment, when the run named here was made; later facts are "
    "left out. Adjudications, findings and remittances are those of this run. What earlier runs decided is in "
    "decided_runs, decided_lines and decided_findings: take these runs as told, in the order of turn, then judge the "
    "claims of the run named here."
)

_RUN = "Number of the run; with the month of the claim it names a row of decided_runs."
_LINE = {
    "run": _RUN,
    "claim_number": "Claim, a row of claims.",
    "line": "Line of the claim, a row of claim_lines.",
}

DESCRIPTIONS = {
    "clawbacks": Description(
        "Owed back by providers",
        "What a provider still owed back when a run was made: the run keeps it from what it pays, up to that amount.",
        {
            "period": "Month of the run.",
            "run": "Number of the run in its month.",
            "provider_code": "Provider that owes, a row of providers.",
            "outstanding": "Amount still owed before the run, 2 decimal places.",
        },
    ),
    "advances": Description(
        "Advances outstanding",
        "What was left of a contract's advance when a run was made: the run uses it before anything is paid.",
        {
            "period": "Month of the run.",
            "run": "Number of the run in its month.",
            "contract_number": "Contract of the advance, a row of contracts.",
            "outstanding": "Amount left before the run, 2 decimal places.",
        },
    ),
    "decided_runs": Description(
        "Runs decided before",
        "Runs made before the one whose facts the package holds. They had other facts, so they cannot be recalculated "
        "from this package: take them as told, in the order of turn, and count what they allowed as used.",
        {
            "period": "Month of the run and of its claims.",
            "run": "Number of the run in its month.",
            "turn": "Place of the run among all runs of the municipality, across months: lower was made earlier.",
        },
    ),
    "decided_lines": Description(
        "Lines decided before",
        "What each earlier run allowed of each line it judged. A line judged by several runs has a row for each; the "
        "one of the latest turn stands. Lines of a claim that a later claim takes back no longer count as used.",
        {
            **_LINE,
            "units_allowed": "Units allowed, 3 decimal places; not above the units claimed.",
            "rate_allowed": "Rate allowed for a unit, 4 decimal places; not above the rate claimed.",
            "gross": "Amount allowed, 2 decimal places, rounded half up; not above units_allowed times rate_allowed.",
            "fee": "Part of gross that the recipient pays; gross less fee is what the budget pays.",
            "outcome": "accepted, reduced, rejected, or pended: it waits for a person.",
        },
    ),
    "decided_findings": Description(
        "Findings of runs before",
        "What each earlier run found on the lines it judged. For each line and run: gross, and the amounts of all "
        "findings but warnings, add up to the units claimed times the rate claimed, rounded half up to 2 places.",
        {
            **_LINE,
            "check": "Code of the check, as CLM-33.",
            "severity": "R rejects, P pends, C cuts, W warns and takes nothing.",
            "units": "Units taken, 3 decimal places.",
            "amount": "Amount taken, 2 decimal places.",
            "detail": "Figures behind the finding, as written by the run.",
        },
    ),
}
