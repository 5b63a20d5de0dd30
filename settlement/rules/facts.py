"""What one adjudication run judges, as columns of integers.

Every table is a DataFrame of int64 columns (0/1 for flags). Conventions:

* keys: >= 0 a known row's id, ``BLANK`` (-1) nothing was written, <= -2 a code that no register knows (the
  same text has the same negative number everywhere in one ``Facts``, so that equal unknown codes are equal);
* days: days since 1970-01-01; ranges are inclusive on both ends; open ends are ``FIRST_DAY`` and
  ``LAST_DAY``;
* times: microseconds since 1970-01-01T00:00Z; absent is ``NO_TIME``, which sorts last;
* units: thousandths; rates: ten-thousandths; money: hundredths; the claimed amount of a line:
  ten-thousandths;
* an absent ceiling is ``NO_LIMIT`` (-1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

BLANK: Final = -1
NO_LIMIT: Final = -1
NO_TIME: Final = int(np.iinfo(np.int64).max)
NO_AMOUNT: Final = int(np.iinfo(np.int64).min)
FIRST_DAY: Final = -(1 << 22) + 1
LAST_DAY: Final = (1 << 22) - 1
HOUR: Final = 3_600_000_000

HOSPITAL, RESIDENTIAL, AWAY = 0, 1, 2
FREE, DIFFERENTIATED, FULL_COST = 0, 1, 2

# Text columns; every other column is int64.
TEXT: Final = frozenset({"number", "outcome", "check_code", "severity", "detail"})

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    name: tuple(columns.split())
    for name, columns in {
        # Claims that get a row in this run. reverses: id of the reversed claim or BLANK. reversed: 1 when a
        # claim of this or an earlier run reverses it. submitted_on: date of submitted_at in the zone.
        "claims": "claim number provider contract period_start submitted_at submitted_on reverses reversed",
        # Lines to judge. id: the caller's own key, handed back. starts_on: date of starts_at in the zone.
        "lines": "id claim line redemption certificate service service_date starts_at ends_at starts_on worker "
        "units unit_rate amount",
        # Lifted pends: check is the number of the check (24 for CLM-24).
        "lifted": "claim line check",
        # Findings that come with the facts (``settlement.rules.given``). id: that of the line; check_code as CLM-33;
        # detail: a JSON object.
        "given": "id check_code severity units amount detail",
        "services": "service in_hours at_home granularity units_per_day_max units_per_month_max "
        "amount_per_year_max group_size_max free_for_all one_off",
        # territory and recipient_class: BLANK = any.
        "norm_costs": "service territory recipient_class valid_from valid_to unit_rate",
        "providers": "provider active_from active_to",
        "provider_suspensions": "provider from_date to_date",
        "workers": "worker provider",
        "worker_qualifications": "worker service valid_from valid_to",
        "contracts": "contract provider active valid_from valid_to ceiling",
        # Dates are resolved (blank = the contract's). Where rows overlap the later valid_from is in force.
        "contract_lines": "contract_line contract service valid_from valid_to unit_rate units_ceiling",
        # death_date: LAST_DAY when alive.
        "recipients": "recipient death_date",
        # Where and in which class a recipient lives; a move counts from the first day of the next month.
        "residences": "recipient territory recipient_class valid_from valid_to",
        "absences": "recipient kind from_date to_date",
        "fee_assessments": "recipient valid_from valid_to mode monthly_limit",
        "plan_lines": "plan_line recipient service valid_from valid_to units_per_month",
        # ended_from: first day of a cancellation or replacement (FIRST_DAY when it has no date), LAST_DAY
        # when active.
        "certificates": "certificate recipient valid_from valid_to ended_from",
        "certificate_suspensions": "certificate from_date to_date",
        "certificate_lines": "certificate service units",
        # Only those that lines name.
        "redemptions": "redemption certificate service provider worker units confirmed",
        # Lines of earlier runs with allowed units, not reversed. Needed are those of the months and service
        # dates of this run's lines, those within a day of them, and those naming the same redemption.
        "history": "claim line recipient redemption service service_date starts_at ends_at starts_on worker units fee",
        # The same lines of all times, summed.
        "certificate_used": "certificate service units",
        "plan_used": "plan_line month units",
        "year_used": "recipient service year gross",
        "contract_line_used": "contract_line gross",
        "contract_used": "contract gross",
        # Numbers of the claims in history, for the explanations.
        "claim_numbers": "claim number",
        # Adjudications of earlier runs that a reversing claim of this run takes back (claim: the reversing).
        "reversals": "claim line_id line units_claimed units_allowed rate_claimed rate_allowed amount_claimed "
        "reductions pended gross fee outcome",
        # What providers of the run have to give back, its term passed; remittances are lowered by it (CLM-46).
        "clawbacks": "provider outstanding",
        # What stands on advances of contracts of the run that its month may use, with what the run gives back of them.
        "advances": "contract outstanding",
        # What claims that the run takes back had used of advances (claim: the reversing).
        "advances_used": "claim amount",
        # --- only for the checks that a package cannot decide (``settlement.rules.own``)
        # Claims that were handed in here. twin: another claim with the same file or number, or BLANK.
        # declared_total: NO_AMOUNT when the provider declared none; written: sum of all lines, ten-thousandths;
        # fresh: 1 when all its lines are judged, 0 when cleared lines of it are judged again.
        "own_claims": "claim twin declared_total written first_line fresh",
        # All lines of claims whose invoice adds VAT (vat: that of the whole claim).
        "vat_lines": "id claim units unit_rate vat",
        # days_off: bit 0 is Monday.
        "schedules": "provider days_off valid_from valid_to",
        "account_changes": "provider changed_on",
        "other_funding": "recipient service valid_from valid_to",
        # Both ways: (A, B) and (B, A).
        "incompatible_services": "service other",
        # recipient: BLANK = all.
        "state_tasks": "provider service recipient valid_from valid_to",
        "evidence_needed": "service valid_from valid_to",
        "evidence_given": "claim",
        # bearing: lines of the recipient on the claim whose service is not free for all.
        "fee_reports": "claim recipient collected bearing",
        # Lines of services for groups; participants: people whom the claims name for the same visit.
        "group_visits": "id participants",
        # latitude, longitude: hundred-thousandths of a degree, NO_AMOUNT when unknown; distance: metres or BLANK.
        "scans": "redemption scanned_at latitude longitude distance",
        # act_on: LAST_DAY when there is none.
        "emergencies": "recipient service began_on act_on",
        # Days that differ from Monday to Friday; working: 1 or 0.
        "calendar": "day working",
        # Redemptions with an open complaint.
        "complaints": "redemption",
        # used: gross finally allowed by earlier runs.
        "grant_items": "contract service valid_from valid_to amount used",
        # released: sum of the tranches that were released, NO_LIMIT when the grant is not paid in tranches.
        "grants": "contract released used",
    }.items()
}


@dataclass(frozen=True, eq=False)
class Facts:
    """The tables of ``COLUMNS``. month: months since 1970-01; year: the calendar year."""

    claims: pd.DataFrame
    lines: pd.DataFrame
    lifted: pd.DataFrame
    given: pd.DataFrame
    services: pd.DataFrame
    norm_costs: pd.DataFrame
    providers: pd.DataFrame
    provider_suspensions: pd.DataFrame
    workers: pd.DataFrame
    worker_qualifications: pd.DataFrame
    contracts: pd.DataFrame
    contract_lines: pd.DataFrame
    recipients: pd.DataFrame
    residences: pd.DataFrame
    absences: pd.DataFrame
    fee_assessments: pd.DataFrame
    plan_lines: pd.DataFrame
    certificates: pd.DataFrame
    certificate_suspensions: pd.DataFrame
    certificate_lines: pd.DataFrame
    redemptions: pd.DataFrame
    history: pd.DataFrame
    certificate_used: pd.DataFrame
    plan_used: pd.DataFrame
    year_used: pd.DataFrame
    contract_line_used: pd.DataFrame
    contract_used: pd.DataFrame
    claim_numbers: pd.DataFrame
    reversals: pd.DataFrame
    clawbacks: pd.DataFrame
    advances: pd.DataFrame
    advances_used: pd.DataFrame
    own_claims: pd.DataFrame
    vat_lines: pd.DataFrame
    schedules: pd.DataFrame
    account_changes: pd.DataFrame
    other_funding: pd.DataFrame
    incompatible_services: pd.DataFrame
    state_tasks: pd.DataFrame
    evidence_needed: pd.DataFrame
    evidence_given: pd.DataFrame
    fee_reports: pd.DataFrame
    group_visits: pd.DataFrame
    scans: pd.DataFrame
    emergencies: pd.DataFrame
    calendar: pd.DataFrame
    complaints: pd.DataFrame
    grant_items: pd.DataFrame
    grants: pd.DataFrame


def empty_table(name: str) -> pd.DataFrame:
    """The named table without rows."""
    return pd.DataFrame({column: pd.Series(dtype="object" if column in TEXT else "int64") for column in COLUMNS[name]})


def build_facts(**tables: pd.DataFrame) -> Facts:
    """Facts of the given tables; the others are empty.

    Raises: ValueError when a table lacks a column.
    """
    complete = {name: tables.pop(name, empty_table(name)) for name in COLUMNS}
    if tables:
        raise ValueError(f"unknown tables: {sorted(tables)}")
    for name, table in complete.items():
        missing = set(COLUMNS[name]) - set(table.columns)
        if missing:
            raise ValueError(f"{name} lacks {sorted(missing)}")
    return Facts(**complete)


def column(table: pd.DataFrame, name: str) -> Ints:
    """A column as int64."""
    return table[name].to_numpy(dtype=np.int64)


def months_of(days: Ints) -> Ints:
    """Months since 1970-01 of days."""
    return _calendar(days, "D", "M")


def years_of(days: Ints) -> Ints:
    """Calendar years of days."""
    return _calendar(days, "D", "Y") + 1970


def first_days_of(months: Ints) -> Ints:
    """First day of months since 1970-01."""
    return _calendar(months, "M", "D")


def _calendar(values: Ints, of: str, into: str) -> Ints:
    """Dates counted in one unit, counted in another."""
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, -1)
    if high - low > len(values):
        return values.astype(f"datetime64[{of}]").astype(f"datetime64[{into}]").astype(np.int64)
    # A month has thirty days and a million lines: each date goes through the calendar once.
    known = np.arange(low, high + 1).astype(f"datetime64[{of}]").astype(f"datetime64[{into}]").astype(np.int64)
    return known[values - low]
