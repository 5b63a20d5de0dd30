"""When what is owed had to be paid, and when it was: the report of payment deadlines.

A remittance is due on the earlier of two days: working days after the claim was judged (``claim.pay_days``), and
calendar days after it was received (``claim.pay_days_absolute``), both by the law of the day of judging.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import (
    Case,
    DateField,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Least, TruncDate

from config.accounts.models import Organisation
from config.clock import local_date
from config.money import from_minor, round_half_up
from config.periods import add_working_days
from contracts.parameters import ParameterBook
from contracts.queries import working_calendar
from settlement.models import AdjudicationRun, ClawbackDebt, CorrectionClaim, PaymentRemittance, Posting, Remittance
from settlement.rules.clawback import WHOLE

PAY_DAYS, RECEIPT_DAYS, INTEREST = "claim.pay_days", "claim.pay_days_absolute", "payment.late_interest_percent"
INTEREST_YEAR = "payment.interest_year_days"
# Events of the ledger with which money was with the provider.
_CARRIED_OUT = ("payment.confirmed", "transfer.confirmed")


@dataclass(frozen=True)
class Deadline:
    """A remittance with its deadline. ``owed``: minor units. ``interest``: only where a parameter gives a rate; major
    units.
    """

    remittance: Remittance
    owed: int
    due: date
    paid: date | None
    days_late: int
    interest: Decimal | None


def deadlines(organisation: Organisation, year: int, search: str = "") -> QuerySet[Remittance]:
    """Remittances of a year's months that pay something, with ``due``, ``paid`` and ``owed`` (of a corrected claim what
    is added, minor units); the earliest deadline first.
    """
    runs = AdjudicationRun.objects.filter(organisation=organisation, status="done", period__year=year)
    terms = _terms(organisation, list(runs))
    if not terms:
        return Remittance.objects.none()
    judged = Case(*(When(run=pk, then=Value(day)) for pk, (day, _days) in terms.items()), output_field=DateField())
    waiting = Case(*(When(run=pk, then=Value(days)) for pk, (_day, days) in terms.items()), output_field=IntegerField())
    received = TruncDate("claim__submitted_at", tzinfo=ZoneInfo(organisation.zone))
    given = Least(judged, ExpressionWrapper(received + waiting, output_field=DateField()))
    # What a correction adds is owed since it was approved, whenever the claim was handed in.
    due = Case(When(run__correction__isnull=False, then=judged), default=given, output_field=DateField())
    rows = Remittance.objects.filter(run__in=terms, payable__gt=0).annotate(
        due=due,
        paid=Coalesce(_paid_on(), _set_off_on(organisation)),
        owed=F("payable") + Coalesce(_taken_back(), Value(0)),
    )
    rows = rows.filter(owed__gt=0)
    if search:
        rows = rows.filter(Q(claim__number__icontains=search) | Q(provider__name__icontains=search))
    return rows.select_related("claim", "provider", "run").order_by("due", "id")


def late_only(rows: QuerySet[Remittance], on: date) -> QuerySet[Remittance]:
    """Those paid after their deadline, and those not paid on a day after it."""
    return rows.filter(Q(paid__gt=F("due")) | Q(paid=None, due__lt=on))


def _terms(organisation: Organisation, runs: list[AdjudicationRun]) -> dict[int, tuple[date, int]]:
    """Of each run: the deadline that its judging set, and how many days receipt allows."""
    book, calendar = ParameterBook.load(organisation, "claim.pay_days"), working_calendar(organisation)
    found = {}
    for run in runs:
        on = local_date(run.recorded_at, organisation.zone)
        days, absolute = book.value(PAY_DAYS, on).whole, book.value(RECEIPT_DAYS, on).whole
        found[run.pk] = (add_working_days(on, days, calendar), absolute)
    return found


def _taken_back() -> Subquery:
    """What the same correction takes back of the claim that a copy stands for; negative."""
    rows = CorrectionClaim.objects.filter(new_claim=OuterRef("claim"), correction__run=OuterRef("run"))
    return Subquery(rows.values("reversal__remittances__payable")[:1])


def _paid_on() -> Subquery:
    carried_out = Posting.objects.filter(payment_id=OuterRef("payment"), entry__event__in=_CARRIED_OUT)
    day = Subquery(carried_out.order_by("-id").values("entry__date")[:1])
    items = PaymentRemittance.objects.filter(remittance=OuterRef("pk"), live=True, payment__status="confirmed")
    return Subquery(items.annotate(day=day).values("day")[:1], output_field=DateField())


def _set_off_on(organisation: Organisation) -> Subquery:
    """The day on which a case set a remittance off against the debt of its month: it is waited for until then."""
    decided = TruncDate("case__decided_at", tzinfo=ZoneInfo(organisation.zone))
    rows = ClawbackDebt.objects.filter(remittance=OuterRef("pk"), case__outcome=WHOLE)
    return Subquery(rows.values(day=decided)[:1], output_field=DateField())


def as_deadlines(rows: list[Remittance], organisation: Organisation, on: date) -> list[Deadline]:
    """Rows of ``deadlines`` with their days late (to the payment, else to a day) and interest."""
    book = ParameterBook.load(organisation, (INTEREST, INTEREST_YEAR))
    return [_deadline(row, book, on) for row in rows]


def _deadline(row: Remittance, book: ParameterBook, on: date) -> Deadline:
    due, paid, owed = row.due, row.paid, row.owed  # type: ignore[attr-defined]  # annotated
    late = max(((paid or on) - due) // timedelta(days=1), 0)
    rate, year = book.get(INTEREST, due), book.get(INTEREST_YEAR, due)
    interest = None
    if rate is not None and year is not None and late:
        interest = round_half_up(from_minor(owed) * rate.decimal / 100 * late / year.whole)
    return Deadline(row, owed, due, paid, late, interest)


def years_with_payables(organisation: Organisation) -> list[int]:
    """Years of which months were judged, newest first."""
    months = AdjudicationRun.objects.filter(organisation=organisation, status="done").dates("period", "year", "DESC")
    return [day.year for day in months]
