"""A paid November of one provider and a December that waits for its run: two visits of 142.50 each, no fees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from config.accounts.models import Organisation, User
from config.money import from_minor
from contracts.actions.agreements import AgreedLine
from contracts.actions.past_terms import approve_past_terms, propose_past_terms
from contracts.models import Contract, Provider, ProviderUser, Service
from settlement.actions import clawbacks, corrections
from settlement.actions.clawbacks import LineSum
from settlement.actions.reconciliation import import_statement
from settlement.actions.runs import approve_payment_run, propose_payment_run, release_payment_run
from settlement.models import (
    AdjudicationRun,
    ClaimLine,
    ClawbackCase,
    ClosedMonth,
    Correction,
    PaymentRun,
    Statement,
)
from tests.oracle.small import Tables, add, add_visit
from tests.settlement.actions import fee_statements
from tests.settlement.actions.month import AT, KYIV, free_visits, imported, judge
from tests.settlement.actions.paid import answered, released_run
from tests.settlement.actions.payables import ready
from tests.settlement.gateways.orders import account
from tests.settlement.views.town import people

DECEMBER = date(2025, 12, 1)
OPENED = datetime(2025, 12, 15, 10, 0, tzinfo=KYIV)
DECIDED = OPENED + timedelta(days=20)
# After the term for returning has passed.
LATER = datetime(2026, 1, 28, 10, 0, tzinfo=KYIV)


def two_months() -> Tables:
    """A-1 of November; A-2 and A-3 of December with a visit each; all of P1."""
    tables = free_visits()
    for row in tables["providers"]:
        row["iban"] = account(1001)
    for number, day in (("A-2", "2025-12-02"), ("A-3", "2025-12-03")):
        claim = {"number": number, "period": "2025-12", "submitted_at": "2026-01-08T10:00:00+02:00"}
        add(tables, "claims", **(tables["claims"][0] | claim))
        add_visit(tables, day, claim_number=number, unit_rate="95", amount="142.50")
    return tables


@dataclass
class ClawbackTown:
    """The office, its people, and the steps of a case in the order of its life."""

    office: Organisation
    cast: dict[str, User]
    statements: int = field(default=1)

    def who(self, name: str, at: datetime) -> dict[str, Any]:
        return {"organisation": self.office, "actor": self.cast[name].as_actor(), "at": at}

    def line(self, claim: str = "A-1", line: int = 1) -> ClaimLine:
        return ClaimLine.objects.get(claim__number=claim, claim__organisation=self.office, line=line)

    def opened(self, *lines: LineSum, at: datetime = OPENED, by: str = "halyna") -> ClawbackCase:
        words = {"found_by": "office", "finding": "Візиту не було", "ground": "п. 5.4 договору"}
        asked = lines or (LineSum(self.line().pk),)
        return clawbacks.open_clawback(lines=asked, **words, **self.who(by, at))

    def notified(self, *lines: LineSum) -> ClawbackCase:
        return clawbacks.notify_clawback(case_id=self.opened(*lines).pk, **self.who("halyna", OPENED))

    def replied(self, *lines: LineSum) -> ClawbackCase:
        case = self.notified(*lines)
        nadiia = self.who("nadiia", OPENED + timedelta(days=1))
        clawbacks.reply_to_clawback(case_id=case.pk, text="Візит був", **nadiia)
        case.refresh_from_db()
        return case

    def decided(self, *lines: LineSum, upheld: dict[int, int] | None = None, at: datetime = DECIDED) -> ClawbackCase:
        case = self.replied(*lines)
        who = self.who("ivan", at)
        return clawbacks.decide_clawback(case_id=case.pk, reason="Журнал порожній", upheld_minor=upheld, **who)

    def december(self, at: datetime = LATER) -> AdjudicationRun:
        run = judge(self.office, at=at, period=DECEMBER)
        assert run is not None
        return run

    def release(self, at: datetime = LATER) -> PaymentRun:
        """December's payment run, released for that day."""
        run = propose_payment_run(period=DECEMBER, **self.who("halyna", at)).run
        ivan = self.who("ivan", at)
        approve_payment_run(run_id=run.pk, content_sha256=run.content_sha256, **ivan)
        return release_payment_run(run_id=run.pk, execution_date=at.date(), **ivan)

    @property
    def contract(self) -> Contract:
        return Contract.objects.get(organisation=self.office, provider__code="P1")

    def close_december(self) -> None:
        ClosedMonth.objects.create(
            organisation=self.office, month=DECEMBER, closed_by=self.cast["ivan"], closed_at=LATER
        )  # fmt: skip

    def corrected(self, rate: str, minute: int) -> Correction:
        """The price of the closed December put right minutes after ``LATER``, and the correction that follows."""
        at, soon = LATER + timedelta(minutes=minute), timedelta(minutes=1)
        line = AgreedLine(Service.objects.get(organisation=self.office), Decimal(rate))
        terms = propose_past_terms(
            contract=self.contract, line=line, valid_from=DECEMBER, basis=f"Угода {rate}", reason="Помилка в ціні",
            actor=self.cast["bohdan"].as_actor(), at=at,
        )  # fmt: skip
        approve_past_terms(terms=terms, actor=self.cast["oksana"].as_actor(), at=at)
        made = corrections.propose_correction(
            month=DECEMBER, ground="norm", reason="Ціна", **self.who("halyna", at + soon)
        )  # fmt: skip
        return corrections.approve_correction(
            correction_id=made.pk, content_sha256=made.content_sha256, **self.who("ivan", at + 2 * soon)
        )

    def receive(self, *lines: tuple[int, str], at: datetime = DECIDED) -> Statement:
        """A statement of credits (kopiykas and text), the day after the last one."""
        self.statements += 1
        last = Statement.objects.order_by("-pk").first()
        assert last is not None and last.closing_minor is not None
        rows: Sequence[Any] = [fee_statements.credit(amount, text) for amount, text in lines]
        day = date(2025, 12, 31) + timedelta(days=self.statements)
        opening = from_minor(last.closing_minor)
        content = fee_statements.statement(self.office, self.statements, *rows, day=day, opening=opening)
        # No bank tells of a day to come.
        read = max(at, datetime(day.year, day.month, day.day, 20, tzinfo=KYIV))
        [found] = import_statement(name=f"{self.statements}.xml", content=content, **self.who("halyna", read))
        return found.statement


def clawback_town(folder: Path) -> ClawbackTown:
    """November judged and paid."""
    office = imported(two_months(), folder)
    office.iban = account(1)
    office.save()
    ready(AT)
    judge(office)
    cast = people(office)
    ProviderUser.objects.create(provider=Provider.objects.get(code="P1"), user=cast["nadiia"])
    run = released_run(office, cast, AT)
    answered(run, cast["halyna"], AT)
    return ClawbackTown(office, cast)
