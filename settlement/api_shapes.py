"""What programs send and get about claims; the operations are in ``settlement.api``."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field

from config.office.api_parts import Amount, Code, Day, Limit, Moment, Month, Rate, RowId, Text, Units, Wish, local
from settlement.claim_rows import LineDraft

LINES_MAX = 5_000
# fmt: off
State = Literal[
    "draft", "submitted", "returned", "adjudicated", "disputed",
    "scheduled", "paid", "rejected", "withdrawn", "reversed",
]
Start = Literal[
    "budget_line", "contract", "certificate", "redemption", "claim", "claim_line", "payment", "statement_line",
    "advance",
]
# fmt: on


class ClaimShort(Schema):
    """A claim in a list. Amounts have 2 places.

    ``counts_as_submitted_at``: the moment that the checks read; another one than ``submitted_at`` when the claim came
    late and two persons gave it its term back.
    """

    id: int
    number: str
    status: str
    status_words: str
    organisation: str
    provider: str
    contract: str
    period: str
    submitted_at: datetime | None
    counts_as_submitted_at: datetime | None
    currency: str
    claimed: str
    allowed: str | None
    payable: str | None


class ClaimPage(Schema):
    """Claims, newest first. ``next`` is the ``after`` of the following page."""

    items: list[ClaimShort]
    next: int | None


class GroundOfCheck(Schema):
    """What a check rests on; ``evidence``: how well the act is known, as docs/legal.md labels it, empty without one."""

    words: str
    evidence: str
    unverified: bool


class Step(Schema):
    """A step from what was claimed to what is paid. ``amount`` is signed, ``left`` remains after it, ``units`` were
    taken by it.
    """

    kind: str
    check: str
    severity: str
    title: str
    sentence: str
    advice: str
    units: str
    amount: str
    left: str
    basis: str
    basis_unverified: bool
    ground: GroundOfCheck


class RunOfLine(Schema):
    """What one run made of a line, in words."""

    run: str
    outcome: str
    outcome_words: str
    units_allowed: str
    rate_allowed: str
    allowed: str
    fee: str
    payable: str
    steps: list[Step]


class Line(Schema):
    """A line as it was written, and what each run made of it, earliest first."""

    line: int
    redemption: str
    certificate: str
    service: str
    service_name: str
    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None
    worker: str
    units: str
    unit_rate: str
    amount: str
    runs: list[RunOfLine]


class TakenByCheck(Schema):
    """What one check took from the claim by the last decisions on its lines."""

    check: str
    severity: str
    title: str
    lines: int
    taken: str


class ClaimFull(ClaimShort):
    """A claim with a page of its lines. ``next_line`` is the ``after_line`` of the following page."""

    reductions: str | None
    waiting: str | None
    fee: str | None
    checks: list[TakenByCheck]
    line_count: int
    lines: list[Line]
    next_line: int | None


class PrecheckWish(Wish):
    """A page of the lines of a claim that is checked before it is submitted."""

    after_line: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    limit: Limit = 100


class Prechecked(Schema):
    """What would be decided if the claim were submitted now; nothing is written. ``next_line`` as in a claim."""

    id: int
    number: str
    claimed: str
    allowed: str
    payable: str
    reductions: str
    waiting: str
    fee: str
    outcomes: dict[str, int]
    checks: list[TakenByCheck]
    lines: list[Line]
    next_line: int | None


class ClaimWritten(Schema):
    """A claim after a step."""

    id: int
    number: str
    status: str
    line_count: int


class LineWish(Wish):
    """A visit to claim; codes are kept as written and judged by the adjudication."""

    service_code: Code
    service_date: Day
    units: Units
    unit_rate: Rate
    amount: Amount | None = None
    certificate_number: Code = ""
    redemption_code: Code = ""
    worker_code: Code = ""
    starts_at: Moment | None = None
    ends_at: Moment | None = None

    def draft(self, zone: str) -> LineDraft:
        """The line as the action takes it."""
        return LineDraft(
            service_code=self.service_code.strip(),
            service_date=self.service_date,
            units=Decimal(self.units),
            unit_rate=Decimal(self.unit_rate),
            certificate_number=self.certificate_number.strip(),
            redemption_code=self.redemption_code.strip(),
            worker_code=self.worker_code.strip(),
            starts_at=local(self.starts_at, zone) if self.starts_at else None,
            ends_at=local(self.ends_at, zone) if self.ends_at else None,
            amount=Decimal(self.amount) if self.amount else None,
        )


class MonthWish(Wish):
    """A contract by its number, and a month."""

    contract: Code
    period: Month

    def first_day(self) -> date:
        """First day of the month."""
        return date.fromisoformat(f"{self.period}-01")


Lines = Annotated[list[LineWish], Field(min_length=1, max_length=LINES_MAX)]


class ClaimWish(MonthWish):
    """A claim with its lines."""

    lines: Lines


class LinesWish(Wish):
    """Lines that replace the present ones."""

    lines: Lines


class ReasonWish(Wish):
    """Why."""

    reason: Annotated[Text, Field(min_length=1)]


class ClaimFilter(Schema):
    """Which claims; ``q`` is a part of a number or of a provider's name."""

    q: Code = ""
    status: State | None = None
    period: Month | None = None
    after: RowId | None = None
    limit: Limit = 50
