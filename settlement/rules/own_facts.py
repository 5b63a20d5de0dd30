"""What only the checks read that a package cannot decide: facts of claims that were handed in here.

All columns belong to the lines of the frame, in its order. Where a table is empty nothing is found.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from settlement.rules.facts import BLANK, LAST_DAY, NO_AMOUNT, Ints, Mask, column
from settlement.rules.lookup import InForce, Register, pair, pick
from settlement.rules.parameters import ACCOUNT_DAYS
from settlement.rules.statistics import metres_between

if TYPE_CHECKING:
    from settlement.rules.frame import Frame


class OwnFacts:
    """Facts beside the lines; a part of a ``Frame``."""

    def __init__(self, frame: Frame) -> None:
        self.frame, self.facts = frame, frame.facts
        self._claims = Register(column(self.facts.own_claims, "claim")).rows(frame.claim)
        # Lines that nothing rejects by itself; set before the checks are asked.
        self.clean: Mask = np.ones(frame.size, dtype=bool)

    @cached_property
    def lines(self) -> Mask:
        """Lines of claims that were handed in here."""
        return self._claims >= 0

    def of_claim(self, name: str, absent: int) -> Ints:
        """A column of the line's claim."""
        return pick(column(self.facts.own_claims, name), self._claims, absent)

    @cached_property
    def whole(self) -> Mask:
        """Lines of claims all of whose lines are judged now."""
        return self.of_claim("fresh", 0) == 1

    # --- registers

    def covered(self, table: pd.DataFrame, keys: Ints, wanted: Ints) -> Mask:
        """Whether a row of the wanted key holds on the service date."""
        in_force = InForce(keys, column(table, "valid_from"), column(table, "valid_to"))
        return in_force.covers(wanted, self.frame.service_date)

    def visits(self, table: pd.DataFrame) -> Ints:
        """(recipient, service) of the rows of a table."""
        frame = self.frame
        recipients = frame.recipient_rows(column(table, "recipient"))
        return pair(recipients, frame.service_rows(column(table, "service")), len(self.facts.services))

    def provider_rows(self, table: pd.DataFrame) -> Ints:
        """Rows of the providers that a table names."""
        return Register(column(self.facts.providers, "provider")).rows(column(table, "provider"))

    @cached_property
    def schedule_row(self) -> Ints:
        """Schedule of the provider on the service date."""
        table = self.facts.schedules
        in_force = InForce(self.provider_rows(table), column(table, "valid_from"), column(table, "valid_to"))
        return in_force.find(self.frame.provider_row, self.frame.service_date)

    @cached_property
    def account_row(self) -> Ints:
        """The change of the provider's account that was still young when the claim was handed in."""
        table = self.facts.account_changes
        since = column(table, "changed_on")
        last = since + self.frame.parameters.on(ACCOUNT_DAYS, since) - 1
        return InForce(self.provider_rows(table), since, last).find(self.frame.provider_row, self.frame.submitted_on)

    @cached_property
    def scan_row(self) -> Ints:
        """The scan behind the line's redemption."""
        return Register(column(self.facts.scans, "redemption")).rows(self.frame.redemption)

    def scan(self, name: str, absent: int = BLANK) -> Ints:
        """A column of the scan."""
        return pick(column(self.facts.scans, name), self.scan_row, absent)

    @cached_property
    def journeys(self) -> tuple[Ints, Ints, Ints]:
        """Microseconds and metres from the worker's visit before, and the row of that visit; 0 metres where none is."""
        frame, size = self.frame, self.frame.size
        place = (self.scan("latitude", NO_AMOUNT), self.scan("longitude", NO_AMOUNT))
        rows = np.flatnonzero(self.lines & frame.timed & (frame.worker_row >= 0) & (place[0] != NO_AMOUNT))
        rows = rows[np.lexsort((frame.starts_at[rows], frame.worker_row[rows]))]
        before, here = rows[:-1], rows[1:]
        same = frame.worker_row[before] == frame.worker_row[here]
        before, here = before[same], here[same]
        gap, metres, previous = np.zeros(size, np.int64), np.zeros(size, np.int64), np.full(size, BLANK, np.int64)
        gap[here] = np.maximum(frame.starts_at[here] - frame.ends_at[before], 0)
        metres[here] = metres_between((place[0][before], place[1][before]), (place[0][here], place[1][here]))
        previous[here] = before
        return gap, metres, previous

    @cached_property
    def fee_report_row(self) -> Ints:
        """What the provider reports of the recipient on this claim."""
        table, frame = self.facts.fee_reports, self.frame
        claims = Register(column(self.facts.claims, "claim")).rows(column(table, "claim"))
        size = len(self.facts.recipients)
        keys = pair(claims, frame.recipient_rows(column(table, "recipient")), size)
        rows = np.flatnonzero(keys >= 0)
        found = Register(keys[rows]).rows(pair(frame.claim_row, frame.recipient_row, size))
        return pick(rows, found, BLANK)

    @cached_property
    def collected(self) -> Ints:
        """Fee reported as collected from the recipient, hundredths; NO_AMOUNT where nothing is reported."""
        return pick(column(self.facts.fee_reports, "collected"), self.fee_report_row, NO_AMOUNT)

    @cached_property
    def fee_limit(self) -> Ints:
        """Monthly limit of the assessment in force."""
        return pick(column(self.facts.fee_assessments, "monthly_limit"), self.frame.fee_row, 0)

    @cached_property
    def fee_mode(self) -> Ints:
        """Mode of the assessment in force, BLANK when there is none."""
        return pick(column(self.facts.fee_assessments, "mode"), self.frame.fee_row, BLANK)

    @cached_property
    def participants(self) -> Ints:
        """People in the line's group visit, 0 where it is none."""
        table = self.facts.group_visits
        rows = Register(column(table, "id")).rows(self.frame.id)
        return pick(column(table, "participants"), rows, 0)

    @cached_property
    def emergency_row(self) -> Ints:
        """The emergency under which the service was begun, as long as no plan has it."""
        table, frame = self.facts.emergencies, self.frame
        ends = np.full(len(table), LAST_DAY, dtype=np.int64)
        rows = InForce(self.visits(table), column(table, "began_on"), ends).find(frame.visit_key, frame.service_date)
        return np.where(frame.plan_row < 0, rows, BLANK)

    @cached_property
    def grant_row(self) -> Ints:
        """The grant behind the line's contract, where it has a budget by items."""
        return Register(column(self.facts.grants, "contract")).rows(self.frame.contract)

    @cached_property
    def grant_item_row(self) -> Ints:
        """The item of the grant's budget in force on the service date."""
        table, frame = self.facts.grant_items, self.frame
        contracts = Register(column(self.facts.contracts, "contract")).rows(column(table, "contract"))
        size = len(self.facts.services)
        keys = pair(contracts, frame.service_rows(column(table, "service")), size)
        in_force = InForce(keys, column(table, "valid_from"), column(table, "valid_to"))
        return in_force.find(pair(frame.contract_row, frame.service_row, size), frame.service_date)

    def is_named(self, table: pd.DataFrame, name: str, wanted: Ints) -> Mask:
        """Whether a table names the key."""
        return Register(np.unique(column(table, name))).rows(wanted) >= 0
