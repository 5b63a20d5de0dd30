"""Reads of the books: accounts, trial balance, statements of accounts, entries, execution of the budget."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Case, F, Q, QuerySet, Sum, Value, When, Window
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.models import AuditEvent
from config.audit.recording import label_of
from config.money import to_minor
from contracts.models import BudgetLine
from settlement.models import Account, Entry, Posting
from settlement.run_queries import end_of

# Events of the posting plan in words.
EVENTS: dict[str, Any] = {
    "claim.adjudicated": _("Claim adjudicated"),
    "claim.reversed": _("Claim taken back"),
    "payment.sent": _("Payment sent to the bank"),
    "payment.confirmed": _("Payment confirmed by the bank"),
    "payment.returned": _("Payment returned by the bank"),
    "payment.unconfirmed": _("Match with a payment undone"),
    "payment.unreturned": _("Match with a return undone"),
    "payment.failed": _("Payment not carried out"),
    "receipt.explained": _("Receipt explained"),
    "charge.explained": _("Charge explained"),
    "receipt.unexplained": _("Explanation of a receipt undone"),
    "charge.unexplained": _("Explanation of a charge undone"),
    "fee.noticed": _("Notice of a fee"),
    "fee.lowered": _("Notice of a fee lowered"),
    "fee.paid_by_card": _("Fee paid by card"),
    "fee.paid_by_bank": _("Fee paid by bank transfer"),
    "fee.unpaid_by_bank": _("Match of a bank line with a fee undone"),
    "fee.refunded_card": _("Fee given back by card"),
    "fee.refunded_bank": _("Fee given back by bank transfer"),
    "fee.unrefunded_bank": _("Match of a bank line with a refund undone"),
    "fee.refund_failed": _("Fee given back did not arrive"),
    "fee.passed_on": _("Collected fees passed on to a provider"),
    "card.paid_out": _("Card payments transferred to the bank account"),
    "card.topped_up": _("Balance of card payments topped up"),
    "transfer.confirmed": _("Payment by Stripe confirmed"),
    "transfer.returned": _("Payment by Stripe returned"),
    "clawback.decided": _("Money asked back"),
    "clawback.taken_over": _("Debt of a paid month asked back"),
    "clawback.repaid": _("Money asked back was returned"),
    "clawback.unrepaid": _("Match of a bank line with money asked back undone"),
    "clawback.offset": _("Kept back for money asked back"),
    "clawback.offset_given": _("Kept back for an earlier debt"),
    "advance.granted": _("Advance granted to a provider"),
    "advance.withdrawn": _("Advance that is not paid after all"),
    "advance.used": _("Advance used by a claim"),
    "advance.given_back": _("Advance given back by a claim that is taken back"),
    "advance.used_given": _("Advance of another system used by a claim"),
    "advance.given_back_given": _("Advance of another system given back by a claim that is taken back"),
    "advance.repaid": _("Unused advance returned"),
    "advance.unrepaid": _("Match of a bank line with an unused advance undone"),
    "clearing.agreed": _("Clearing with another municipality agreed"),
    "clearing.returned": _("Clearing with another municipality taken back"),
    "clearing.given_up": _("Refund by another municipality given up"),
    "clearing.kept": _("Refund by another municipality kept"),
    "clearing.lowered": _("Refunds by another municipality worked out anew: less"),
    "clearing.raised": _("Refunds by another municipality worked out anew: more"),
    "clearing.paid": _("Clearing paid to another municipality"),
    "clearing.received": _("Clearing received from another municipality"),
    "clearing.unpaid": _("Match of a bank line with clearing undone"),
    "clearing.unreceived": _("Match of a bank line with clearing undone"),
    "opening.added": _("Opening balance of a bank account"),
    "opening.lowered": _("Opening balance of a bank account lowered"),
    "year.expense_closed": _("Costs of a closed year"),
    "year.expense_returned": _("Costs given back in a closed year"),
    "year.fee_closed": _("Recipients' fees of a closed year"),
    "year.fee_returned": _("Recipients' fees given back in a closed year"),
}


@dataclass(frozen=True)
class BalanceRow:
    """An account in the trial balance, minor units: what was debited and credited, and its balance on one side."""

    account: Account
    debited: int
    credited: int

    @property
    def debit(self) -> int:
        """Balance on the debit side, 0 when it is on the other."""
        return max(self.debited - self.credited, 0)

    @property
    def credit(self) -> int:
        """Balance on the credit side."""
        return max(self.credited - self.debited, 0)


@dataclass(frozen=True)
class BudgetRow:
    """A budget line and what became of it, minor units. ``free`` = appropriation less everything set aside."""

    line: BudgetLine
    appropriation: int
    commitment: int
    reservation: int
    spending: int

    @property
    def free(self) -> int:
        """What may still be set aside."""
        return self.appropriation - self.commitment - self.reservation - self.spending

    @property
    def spent_percent(self) -> int:
        """Whole percent of the appropriation that is spent."""
        return self.spending * 100 // self.appropriation if self.appropriation else 0


def event_title(event: str) -> str:
    """A ledger event in the reader's language."""
    return str(EVENTS.get(event, event))


def accounts(organisation: Organisation, search: str = "") -> QuerySet[Account]:
    """The chart of accounts with the sums of each, minor units."""
    rows = Account.objects.filter(organisation=organisation).select_related("provider", "budget_line", "neighbour")
    if search:
        rows = rows.filter(Q(code__icontains=search) | Q(provider__name__icontains=search))
    return rows.annotate(
        debited=Coalesce(Sum("postings__debit"), Value(0)), credited=Coalesce(Sum("postings__credit"), Value(0))
    ).order_by("kind", "code")


def trial_balance(organisation: Organisation, on: date) -> list[BalanceRow]:
    """Every account that moved by the end of a day: two queries, postings are summed before they meet accounts."""
    own = Account.objects.filter(organisation=organisation).select_related("provider", "budget_line", "neighbour")
    accounts = {row.pk: row for row in own.order_by("kind", "code")}
    moved = Posting.objects.filter(account__in=list(accounts), date__lte=on).values_list("account_id")
    sums = {account: rest for account, *rest in moved.annotate(Sum("debit"), Sum("credit")).order_by()}
    return [BalanceRow(row, *map(int, sums[pk])) for pk, row in accounts.items() if pk in sums]


def balance_of(account: Account, until: date) -> BalanceRow:
    """Sums of an account at the end of a day."""
    sums = Posting.objects.filter(account=account, date__lte=until).aggregate(
        debited=Coalesce(Sum("debit"), Value(0)), credited=Coalesce(Sum("credit"), Value(0))
    )
    return BalanceRow(account, sums["debited"], sums["credited"])


def balance_totals(rows: Iterable[BalanceRow]) -> dict[str, int]:
    """Sums of the four columns; those of debit and credit are equal, or the books are damaged."""
    found = list(rows)
    return {name: sum(getattr(row, name) for row in found) for name in ("debited", "credited", "debit", "credit")}


# What stood there before comes before the movements of its day.
_TURN = Case(When(entry__event__startswith="opening.", then=Value(0)), default=Value(1))
AFTER_ALL = 2


def statement(account: Account, until: date) -> QuerySet[Posting]:
    """Postings of an account by the end of a day, in the order of their days, with the balance (debit less credit)."""
    running = Window(Sum(F("debit") - F("credit")), order_by=[F("date").asc(), _TURN.asc(), F("id").asc()])
    rows = Posting.objects.filter(account=account, date__lte=until)
    rows = rows.select_related("entry").annotate(balance=running)
    return rows.order_by("date", _TURN, "id")


class Place(NamedTuple):
    """Where a posting stands in the statement of its account; places are in the order of the statement."""

    day: date
    turn: int
    pk: int

    @classmethod
    def read(cls, text: str) -> Place | None:
        """A place as an address carries it, None for anything else."""
        parts = re.fullmatch(r"(\d{4}-\d\d-\d\d)\.([01])\.(\d{1,18})", text, re.ASCII)
        try:
            return cls(date.fromisoformat(parts[1]), int(parts[2]), int(parts[3])) if parts else None
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{self.day}.{self.turn}.{self.pk}"


@dataclass(frozen=True)
class StatementPage:
    """Some rows of a statement, each with its ``balance``, and whether others stand before and after them."""

    rows: list[Posting]
    has_earlier: bool = False
    has_later: bool = False

    @property
    def first(self) -> Place:
        """Place of the first row."""
        return _place(self.rows[0])

    @property
    def last(self) -> Place:
        """Place of the last row."""
        return _place(self.rows[-1])


def _place(row: Posting) -> Place:
    return Place(row.date, row.turn, row.pk)  # type: ignore[attr-defined]


def statement_page(
    account: Account, until: date, *, after: Place | None = None, before: Place | None = None, size: int
) -> StatementPage:
    """Rows of ``statement`` after or before a place, from its beginning without one.

    Reads the rows of the page and of its first day, whatever number the account and the ledger have, and sums what
    stands before it from an index alone.
    """
    rows = Posting.objects.filter(account=account, date__lte=until).annotate(turn=_TURN).select_related("entry")
    if before is not None:
        found = list(_beside(rows, before, "lt").order_by("-date", "-turn", "-id")[: size + 1])
        # The address of a place comes from a row, which itself stands later.
        page = StatementPage(found[:size][::-1], len(found) > size, before.turn != AFTER_ALL)
    else:
        later = rows if after is None else _beside(rows, after, "gt")
        found = list(later.order_by("date", "turn", "id")[: size + 1])
        page = StatementPage(found[:size], after is not None, len(found) > size)
    _carry(account, page)
    return page


def _beside(rows: QuerySet[Posting], place: Place, side: str) -> QuerySet[Posting]:
    """Rows on one side of a place: lt or gt. The day alone first, so that the index finds them."""
    same_day = Q(**{"date": place.day, f"turn__{side}": place.turn}) | Q(
        **{"date": place.day, "turn": place.turn, f"id__{side}": place.pk}
    )
    return rows.filter(Q(**{f"date__{side}": place.day}) | same_day, **{f"date__{side}e": place.day})


def _carry(account: Account, page: StatementPage) -> None:
    """Write the running balance on the rows: what stood before the first one, then row by row."""
    if not page.rows:
        return
    mine = Posting.objects.filter(account=account)
    earlier_that_day = _beside(mine.filter(date=page.first.day).annotate(turn=_TURN), page.first, "lt")
    balance = _saldo(mine.filter(date__lt=page.first.day)) + _saldo(earlier_that_day)
    for row in page.rows:
        balance += row.debit - row.credit
        row.balance = balance  # type: ignore[attr-defined]


def _saldo(rows: QuerySet[Posting]) -> int:
    return int(rows.aggregate(sum=Coalesce(Sum(F("debit") - F("credit")), Value(0)))["sum"])


def entries(organisation: Organisation) -> QuerySet[Entry]:
    """Ledger entries of an organisation."""
    return Entry.objects.filter(organisation=organisation).select_related("recorded_by", "reverses")


def postings(entry: Entry) -> QuerySet[Posting]:
    """Postings of an entry, debits first."""
    rows = entry.postings.select_related("account__provider", "account__budget_line", "account__neighbour")
    return rows.order_by("-debit", "account__code")


def budget_years(organisation: Organisation) -> list[int]:
    """Years that have budget lines, newest first."""
    years = BudgetLine.objects.filter(organisation=organisation).order_by("-year")
    return list(years.values_list("year", flat=True).distinct())


_ADVANCED = """
SELECT b.budget_line_id, sum(p.debit - p.credit)::bigint
FROM settlement_posting p JOIN settlement_entry e ON e.id = p.entry_id
JOIN settlement_account a ON a.id = p.account_id AND a.kind = 'advance'
JOIN settlement_advance b ON e.label = 'settlement.advance:' || b.id
WHERE b.organisation_id = %s AND e.date <= %s GROUP BY 1 HAVING sum(p.debit - p.credit) <> 0
"""


def advanced_by_line(organisation: Organisation, on: date) -> dict[int, int]:
    """By budget line what was granted in advance and not used by the end of a day, minor units.

    It is no column of its own: the claims that use it turn what is committed or reserved into spending.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ADVANCED, [organisation.pk, on])
        return dict(cursor.fetchall())


def budget_execution(organisation: Organisation, year: int, on: date) -> list[BudgetRow]:
    """Budget lines of a year with what was committed, reserved, spent and free at the end of a day: two queries."""
    kinds = ("commitment", "reservation", "spending")
    sums = {kind: Coalesce(Sum("entries__amount_minor", filter=_by(kind, on)), Value(0)) for kind in kinds}
    lines = BudgetLine.objects.filter(organisation=organisation, year=year).annotate(**sums).order_by("code")
    before = _appropriations_before(organisation, on)
    return [
        BudgetRow(
            line, before.get(label_of(line), to_minor(line.amount.amount)), *(getattr(line, kind) for kind in kinds)
        )
        for line in lines
    ]


def _by(kind: str, on: date) -> Q:
    return Q(entries__kind=kind, entries__occurred_on__lte=on)


def _appropriations_before(organisation: Organisation, on: date) -> dict[str, int]:
    """Appropriations, minor units, of lines that were amended after the day, by label: what the trail says they were.

    A line that was entered after the day had nothing.
    """
    codes = ("budget_line.added", "budget_line.amended")
    events = AuditEvent.objects.filter(chain=organisation.code, action__in=codes)
    later = events.filter(business_at__gt=end_of(on, organisation)).order_by("-sequence")
    return {event.objects_touched[0]: to_minor(Decimal(event.data.get("before", "0"))) for event in later}


def budget_sums(rows: Iterable[BudgetRow]) -> dict[str, int]:
    """Sums of the columns."""
    found = list(rows)
    names = ("appropriation", "commitment", "reservation", "spending", "free")
    return {name: sum(getattr(row, name) for row in found) for name in names}
