"""The columns that checks read: a run's lines in their order, with every code resolved to a row.

Order: service date, start (absent last), submission, claim number by code point, line number (interchange,
point 1). All columns are int64 arrays of one length. ``*_row`` columns are positions in the tables of
``Facts``, BLANK where there is nothing. Columns are computed when first read and kept.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from settlement.rules.facts import (
    AWAY,
    BLANK,
    HOSPITAL,
    LAST_DAY,
    NO_LIMIT,
    NO_TIME,
    RESIDENTIAL,
    Facts,
    Ints,
    Mask,
    column,
    months_of,
    years_of,
)
from settlement.rules.integers import value_of
from settlement.rules.lookup import InForce, Register, Sums, pair, pick, with_day
from settlement.rules.own_facts import OwnFacts
from settlement.rules.parameters import Parameters

if TYPE_CHECKING:
    from settlement.rules.comparison import Comparison

Found = TypeVar("Found")


class Frame:
    """Lines of one run in order, and the facts they are judged by."""

    def __init__(self, facts: Facts, parameters: Parameters) -> None:
        self.facts, self.parameters = facts, parameters
        claims = facts.claims
        register = Register(column(claims, "claim"))
        claim_rows = register.rows(column(facts.lines, "claim"))
        if (claim_rows < 0).any():
            raise ValueError("a line names a claim that is not in the facts")
        order = _order(facts.lines, _claim_ranks(claims)[claim_rows])
        self.size = len(order)
        self.claim_row = claim_rows[order]
        self._order = order
        self._kept: dict[Callable[[Frame], Any], Any] = {}
        for name in (
            "id",
            "claim",
            "line",
            "redemption",
            "certificate",
            "service",
            "service_date",
            "starts_at",
            "ends_at",
            "starts_on",
            "worker",
            "units",
            "unit_rate",
            "amount",
        ):
            setattr(self, name, column(facts.lines, name)[order])

    id: Ints
    claim: Ints
    line: Ints
    redemption: Ints
    certificate: Ints
    service: Ints
    service_date: Ints
    starts_at: Ints
    ends_at: Ints
    starts_on: Ints
    worker: Ints
    units: Ints
    unit_rate: Ints
    amount: Ints
    # Set when it is known which lines others may be compared with.
    comparison: Comparison

    # --- helpers
    # -------------------------------------------------------------------------------------------------

    def _of_claim(self, name: str) -> Ints:
        return column(self.facts.claims, name)[self.claim_row]

    def _of_service(self, name: str, absent: int) -> Ints:
        return pick(column(self.facts.services, name), self.service_row, absent)

    def once(self, compute: Callable[[Frame], Found]) -> Found:
        """What a function of the frame gives: computed when it is first asked for, and kept."""
        if compute not in self._kept:
            self._kept[compute] = compute(self)
        found: Found = self._kept[compute]
        return found

    def lifted(self, check: int) -> Mask:
        """Lines for which a person has lifted the pend of a check."""
        lifted = self.facts.lifted
        lifted = lifted[lifted["check"] == check]
        if lifted.empty:
            return np.zeros(self.size, dtype=bool)
        keys = pd.MultiIndex.from_frame(lifted[["claim", "line"]])
        return np.asarray(pd.MultiIndex.from_arrays([self.claim, self.line]).isin(keys))

    # --- the line itself
    # -----------------------------------------------------------------------------------------

    @cached_property
    def amount_claimed(self) -> Ints:
        """round(units x unit_rate, 2) in hundredths."""
        return value_of(self.units, self.unit_rate)

    @cached_property
    def both_times(self) -> Mask:
        return (self.starts_at != NO_TIME) & (self.ends_at != NO_TIME)

    @cached_property
    def timed(self) -> Mask:
        """Lines whose times can be compared: both given, start on the service date, end after start."""
        return self.both_times & (self.starts_on == self.service_date) & (self.ends_at > self.starts_at)

    @cached_property
    def duration(self) -> Ints:
        """Microseconds of usable times, else 0."""
        return np.where(self.timed, self.ends_at - np.where(self.timed, self.starts_at, 0), 0)

    @cached_property
    def month(self) -> Ints:
        return months_of(self.service_date)

    @cached_property
    def year(self) -> Ints:
        return years_of(self.service_date)

    # --- its claim
    # -----------------------------------------------------------------------------------------------

    @cached_property
    def provider(self) -> Ints:
        return self._of_claim("provider")

    @cached_property
    def contract(self) -> Ints:
        return self._of_claim("contract")

    @cached_property
    def period_start(self) -> Ints:
        return self._of_claim("period_start")

    @cached_property
    def submitted_on(self) -> Ints:
        return self._of_claim("submitted_on")

    # --- rows of the registers
    # -----------------------------------------------------------------------------------

    @cached_property
    def service_row(self) -> Ints:
        return Register(column(self.facts.services, "service")).rows(self.service)

    @cached_property
    def provider_row(self) -> Ints:
        return Register(column(self.facts.providers, "provider")).rows(self.provider)

    @cached_property
    def contract_row(self) -> Ints:
        return Register(column(self.facts.contracts, "contract")).rows(self.contract)

    @cached_property
    def certificate_row(self) -> Ints:
        return Register(column(self.facts.certificates, "certificate")).rows(self.certificate)

    @cached_property
    def worker_row(self) -> Ints:
        return Register(column(self.facts.workers, "worker")).rows(self.worker)

    @cached_property
    def redemption_row(self) -> Ints:
        return Register(column(self.facts.redemptions, "redemption")).rows(self.redemption)

    @cached_property
    def _recipients(self) -> Register:
        return Register(column(self.facts.recipients, "recipient"))

    @cached_property
    def recipient_row(self) -> Ints:
        """The recipient of the line's certificate, when both are known."""
        recipients = pick(column(self.facts.certificates, "recipient"), self.certificate_row, BLANK)
        return self._recipients.rows(recipients)

    @cached_property
    def recipient(self) -> Ints:
        return pick(column(self.facts.recipients, "recipient"), self.recipient_row, BLANK)

    def recipient_rows(self, recipients: Ints) -> Ints:
        """Rows of recipients named elsewhere."""
        return self._recipients.rows(recipients)

    def service_rows(self, services: Ints) -> Ints:
        """Rows of services named elsewhere."""
        return Register(column(self.facts.services, "service")).rows(services)

    # --- the service
    # ---------------------------------------------------------------------------------------------

    @cached_property
    def in_hours(self) -> Mask:
        return self._of_service("in_hours", 0) == 1

    @cached_property
    def at_home(self) -> Mask:
        return self._of_service("at_home", 0) == 1

    @cached_property
    def in_group(self) -> Mask:
        return self._of_service("group_size_max", NO_LIMIT) > 1

    @cached_property
    def one_off(self) -> Mask:
        return self._of_service("one_off", 0) == 1

    @cached_property
    def free_for_all(self) -> Mask:
        return self._of_service("free_for_all", 0) == 1

    @cached_property
    def granularity(self) -> Ints:
        return self._of_service("granularity", 1)

    def service_limit(self, name: str) -> Ints:
        """A ceiling of the service, NO_LIMIT where it has none."""
        return self._of_service(name, NO_LIMIT)

    @cached_property
    def visit_key(self) -> Ints:
        """(recipient, service), BLANK where either is unknown."""
        return pair(self.recipient_row, self.service_row, len(self.facts.services))

    # --- what is in force on the service date
    # --------------------------------------------------------------------

    @cached_property
    def contract_line_row(self) -> Ints:
        table = self.facts.contract_lines
        contracts = Register(column(self.facts.contracts, "contract")).rows(column(table, "contract"))
        keys = pair(contracts, self.service_rows(column(table, "service")), len(self.facts.services))
        wanted = pair(self.contract_row, self.service_row, len(self.facts.services))
        return InForce(keys, column(table, "valid_from"), column(table, "valid_to")).find(wanted, self.service_date)

    @cached_property
    def plan_row(self) -> Ints:
        table = self.facts.plan_lines
        keys = pair(
            self.recipient_rows(column(table, "recipient")),
            self.service_rows(column(table, "service")),
            len(self.facts.services),
        )
        in_force = InForce(keys, column(table, "valid_from"), column(table, "valid_to"))
        return in_force.find(self.visit_key, self.service_date)

    @cached_property
    def fee_row(self) -> Ints:
        table = self.facts.fee_assessments
        keys = self.recipient_rows(column(table, "recipient"))
        in_force = InForce(keys, column(table, "valid_from"), column(table, "valid_to"))
        return in_force.find(self.recipient_row, self.service_date)

    @cached_property
    def certificate_line_row(self) -> Ints:
        """Row of certificate_lines for the line's certificate and service."""
        table, services = self.facts.certificate_lines, len(self.facts.services)
        certificates = Register(column(self.facts.certificates, "certificate")).rows(column(table, "certificate"))
        keys = pair(certificates, self.service_rows(column(table, "service")), services)
        rows = np.flatnonzero(keys >= 0)
        found = Register(keys[rows]).rows(pair(self.certificate_row, self.service_row, services))
        return pick(rows, found, BLANK)

    @cached_property
    def norm_row(self) -> Ints:
        """The most specific norm cost: territory and class, territory, class, neither."""
        table = self.facts.norm_costs
        homes = self.facts.residences
        dwelling = InForce(
            self.recipient_rows(column(homes, "recipient")),
            column(homes, "valid_from"),
            column(homes, "valid_to"),
        ).find(self.recipient_row, self.service_date)
        place = pick(column(homes, "territory"), dwelling, BLANK)
        kind = pick(column(homes, "recipient_class"), dwelling, BLANK)
        anyone = np.full(self.size, BLANK, dtype=np.int64)
        names = ("territory", "recipient_class")
        codes = [np.unique(column(table, name)) for name in names]
        keys = self._norm_keys(column(table, "service"), [column(table, name) for name in names], codes)
        in_force = InForce(keys, column(table, "valid_from"), column(table, "valid_to"))
        result = anyone
        for wanted in ([place, kind], [place, anyone], [anyone, kind], [anyone, anyone]):
            sought = self._norm_keys(self.service, wanted, codes)
            sought = np.where(self.recipient_row >= 0, sought, BLANK)
            result = np.where(result >= 0, result, in_force.find(sought, self.service_date))
        return result

    def _norm_keys(self, services: Ints, parts: list[Ints], codes: list[Ints]) -> Ints:
        key = self.service_rows(services)
        for part, known in zip(parts, codes, strict=True):
            if not len(known):
                return np.full(len(services), BLANK, dtype=np.int64)
            place = np.minimum(np.searchsorted(known, part), len(known) - 1)
            key = pair(key, np.where(known[place] == part, place, BLANK), len(known))
        return key

    def suspended(self, table: pd.DataFrame, name: str, rows: Ints) -> Mask:
        """Whether a provider or certificate is suspended on the service date."""
        parents = self.facts.providers if name == "provider" else self.facts.certificates
        keys = Register(column(parents, name)).rows(column(table, name))
        return InForce(keys, column(table, "from_date"), column(table, "to_date")).covers(rows, self.service_date)

    @cached_property
    def qualified(self) -> Mask:
        table, services = self.facts.worker_qualifications, len(self.facts.services)
        workers = Register(column(self.facts.workers, "worker")).rows(column(table, "worker"))
        keys = pair(workers, self.service_rows(column(table, "service")), services)
        in_force = InForce(keys, column(table, "valid_from"), column(table, "valid_to"))
        return in_force.covers(pair(self.worker_row, self.service_row, services), self.service_date)

    @cached_property
    def in_stay(self) -> Ints:
        """Row of a hospital or residential stay that surrounds the service date (its first and last day do
        not).
        """
        table = self.facts.absences[self.facts.absences["kind"].isin((HOSPITAL, RESIDENTIAL))]
        last = column(table, "to_date")
        keys = self.recipient_rows(column(table, "recipient"))
        ends = np.where(last == LAST_DAY, LAST_DAY, last - 1)
        return InForce(keys, column(table, "from_date") + 1, ends).find(self.recipient_row, self.service_date)

    @cached_property
    def away(self) -> Mask:
        table = self.facts.absences[self.facts.absences["kind"] == AWAY]
        keys = self.recipient_rows(column(table, "recipient"))
        in_force = InForce(keys, column(table, "from_date"), column(table, "to_date"))
        return in_force.covers(self.recipient_row, self.service_date)

    @cached_property
    def death_date(self) -> Ints:
        return pick(column(self.facts.recipients, "death_date"), self.recipient_row, LAST_DAY)

    # --- what only the checks of our own claims read
    # --------------------------------------------------------------------------

    @cached_property
    def own(self) -> OwnFacts:
        return OwnFacts(self)

    # --- earlier runs
    # --------------------------------------------------------------------------------------------

    def past(self, name: str) -> Ints:
        """A column of the lines of earlier runs."""
        return column(self.facts.history, name)

    @cached_property
    def past_recipient_row(self) -> Ints:
        return self.recipient_rows(self.past("recipient"))

    @cached_property
    def past_visit_key(self) -> Ints:
        return pair(self.past_recipient_row, self.service_rows(self.past("service")), len(self.facts.services))

    @cached_property
    def past_timed(self) -> Mask:
        starts, ends = self.past("starts_at"), self.past("ends_at")
        given = (starts != NO_TIME) & (ends != NO_TIME)
        return given & (self.past("starts_on") == self.past("service_date")) & (ends > starts)

    def past_units(self, keys: Ints, days: Ints) -> Sums:
        """Allowed units of earlier runs by (key, day or month)."""
        return Sums(with_day(keys, days), self.past("units"))

    def claim_number(self, claims: Ints) -> list[str]:
        """Numbers of claims, for explanations."""
        known = pd.concat([self.facts.claim_numbers[["claim", "number"]], self.facts.claims[["claim", "number"]]])
        numbers = dict(zip(known["claim"].tolist(), known["number"].tolist(), strict=True))
        return [str(numbers.get(claim, "")) for claim in claims.tolist()]


def _claim_ranks(claims: pd.DataFrame) -> Ints:
    """Rank of each claim by submission, then number by code point."""
    keys = list(zip(claims["submitted_at"].tolist(), claims["number"].tolist(), strict=True))
    ranks = np.empty(len(keys), dtype=np.int64)
    ranks[sorted(range(len(keys)), key=keys.__getitem__)] = np.arange(len(keys))
    return ranks


def _order(lines: pd.DataFrame, claim_ranks: Ints) -> Ints:
    names = ("starts_at", "service_date")
    return np.lexsort((column(lines, "line"), claim_ranks, *(column(lines, name) for name in names)))
