"""Reads for payment runs, payments, statements and the month's end."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import (
    BigIntegerField,
    CharField,
    Count,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
)
from django.db.models.expressions import RawSQL

from config.accounts.models import Organisation
from config.money import to_minor
from config.office.models import Attachment
from config.office.storage import attachments_of
from config.periods import add_months
from settlement.hold_queries import held_remittances
from settlement.line_queries import with_sums
from settlement.models import (
    AdjudicationRun,
    Claim,
    ClawbackCase,
    ClawbackDebt,
    ClosedMonth,
    Match,
    Payment,
    PaymentAdvance,
    PaymentRemittance,
    PaymentRun,
    Posting,
    Remittance,
    Statement,
    StatementLine,
)
from settlement.models.statements import LIVE, TAKEN
from settlement.rules.clawback import DROPPED, WHOLE
from settlement.statement_words import return_words

OPEN_LINES = ("unmatched", "partial")
# Kind of the attachment.
PAYMENT_FILE = "payment_file"


def unpaid_remittances(organisation: Organisation) -> QuerySet[Remittance]:
    """Remittances of done runs that are in no live payment, and that no case asks back as the debt of a month."""
    taken = PaymentRemittance.objects.filter(remittance=OuterRef("pk"), live=True)
    asked = ClawbackDebt.objects.filter(remittance=OuterRef("pk")).exclude(case__outcome=DROPPED)
    rows = Remittance.objects.filter(run__organisation=organisation, run__status="done")
    return rows.filter(~Exists(taken), ~Exists(asked))


def payable_remittances(organisation: Organisation, period: date, also: Collection[int] = ()) -> QuerySet[Remittance]:
    """Remittances of the month's done runs, and others by key, that move money and are in no live payment."""
    return (
        unpaid_remittances(organisation)
        .filter(Q(run__period=period) | Q(pk__in=also))
        .exclude(payable=0)
        .select_related("provider", "claim", "run__organisation")
        .order_by("provider__code", "id")
    )


def given_back(run: PaymentRun) -> QuerySet[Remittance]:
    """Remittances that the run no longer pays and no other run does."""
    return payable_remittances(run.organisation, run.period).filter(
        payment_items__payment_run=run, payment_items__live=False
    )


def advances_of_run(run: PaymentRun) -> QuerySet[PaymentAdvance]:
    """Advances that a run pays or was to pay, by provider."""
    items = run.advance_items.select_related("advance__provider", "advance__contract", "payment")
    return items.order_by("advance__provider__code", "id")


def free_and_held(organisation: Organisation, on: date) -> tuple[QuerySet[Remittance], QuerySet[Remittance]]:
    """Unpaid remittances that move money: those that a payment run may take on a day, and those that are held."""
    rows = unpaid_remittances(organisation).exclude(payable=0)
    held = held_remittances(rows, organisation, on)
    return rows.exclude(pk__in=held.order_by().values("pk")), held


def payable_months(organisation: Organisation, on: date) -> list[dict[str, Any]]:
    """Months with something to pay: period, number of remittances, payable minor units, and how many of how much are
    held on a day. Two queries.

    What is taken back of a provider stands against what it gets: one that would get nothing is left out, as a payment
    run leaves it out, and so is what is held.
    """
    months: dict[date, dict[str, Any]] = {}
    for rows, count, minor in zip(
        free_and_held(organisation, on), ("count", "held_count"), ("payable_minor", "held_minor"), strict=True
    ):
        sums = rows.order_by().values("run__period", "provider").annotate(count=Count("id"), minor=Sum("payable"))
        for row in sums.filter(minor__gt=0):
            nothing = {"count": 0, "payable_minor": 0, "held_count": 0, "held_minor": 0}
            month = months.setdefault(row["run__period"], {"period": row["run__period"]} | nothing)
            month[count] += row["count"]
            month[minor] += row["minor"]
    return [months[period] for period in sorted(months)]


def payment_file(run: PaymentRun) -> Attachment | None:
    """The bank file of a run, if written; the newest."""
    return attachments_of(run).filter(kind=PAYMENT_FILE).last()


def payment_runs(organisation: Organisation, search: str = "") -> QuerySet[PaymentRun]:
    """Payment runs, newest first."""
    parts = ("proposed_by", "released_by", "follows", "organisation")
    rows = PaymentRun.objects.filter(organisation=organisation).select_related(*parts)
    if search:
        rows = rows.filter(Q(number__icontains=search) | Q(payments__reference__icontains=search)).distinct()
    return rows.order_by("-proposed_at", "-id")


def payments(organisation: Organisation, search: str = "", status: str = "") -> QuerySet[Payment]:
    """Payments, newest first."""
    rows = Payment.objects.filter(organisation=organisation).select_related("provider", "payment_run")
    if search:
        rows = rows.filter(
            Q(reference__icontains=search)
            | Q(provider__name__icontains=search)
            | Q(payment_run__number__icontains=search)
            | Q(iban__startswith=search)
        )
    if status:
        rows = rows.filter(status=status)
    return rows.order_by("-id")


def statements(organisation: Organisation, search: str = "") -> QuerySet[Statement]:
    """Bank statements with the number of lines and of open lines, newest first."""
    rows = Statement.objects.filter(organisation=organisation).annotate(
        line_count=Count("lines"), open_count=Count("lines", filter=Q(lines__status__in=OPEN_LINES))
    )
    if search:
        rows = rows.filter(Q(statement_id__icontains=search) | Q(lines__end_to_end_id__icontains=search)).distinct()
    return rows.order_by("-to_date", "-id")


def statement_lines(statement: Statement) -> QuerySet[StatementLine]:
    """Lines of a statement in its order."""
    return statement.lines.select_related("explained_by", "told_by").order_by("position")


def matches_of(statement: Statement) -> dict[int, list[Match]]:
    """Live matches by line."""
    found: dict[int, list[Match]] = {}
    rows = Match.objects.filter(statement_line__statement=statement, **LIVE)
    for match in rows.select_related("payment__provider").order_by("id"):
        found.setdefault(match.statement_line_id, []).append(match)
    return found


def exceptions(organisation: Organisation, statements: Sequence[str] = ("imported",)) -> QuerySet[StatementLine, Any]:
    """Bank lines that nobody has matched or explained yet, oldest first, with what is open of each, ``open_minor``."""
    rows = StatementLine.objects.filter(
        statement__organisation=organisation, status__in=OPEN_LINES, statement__status__in=statements
    )
    # What is taken of a line is known: only the rest waits.
    known = RawSQL(TAKEN.format(line="settlement_statementline.id"), (), output_field=BigIntegerField())  # noqa: S611
    rows = rows.annotate(open_minor=F("amount_minor") - known)
    return rows.select_related("statement").order_by("booked_on", "id")


def taken_of(lines: Iterable[int]) -> dict[int, int]:
    """What of bank lines is taken by payments, fees, refunds, clawbacks, advances and clearing; minor units, signed as
    on the account. One query.
    """
    query = f"SELECT l.id, {TAKEN.format(line='l.id')} FROM unnest(%s::bigint[]) l (id)"  # noqa: S608  a constant
    with connection.cursor() as cursor:
        cursor.execute(query, [list(lines)])
        return {line: int(taken) for line, taken in cursor.fetchall()}


def month_written(field: str) -> Func:
    """A first day of a month as people search for it: «11.2025» or «2025-11»."""
    return Func(F(field), Value("MM.YYYY YYYY-MM"), function="to_char", output_field=CharField())


def adjudication_runs(organisation: Organisation, search: str = "") -> QuerySet[AdjudicationRun]:
    """Adjudication runs with the number of their claims, newest month first; ``search``: a month or a person."""
    rows = AdjudicationRun.objects.filter(organisation=organisation).select_related("started_by")
    if search:
        rows = rows.annotate(written=month_written("period")).filter(
            Q(written__icontains=search) | Q(started_by__display_name__icontains=search)
        )
    return rows.annotate(claim_count=Count("remittances")).order_by("-period", "-number")


def remittances_of_run(run: AdjudicationRun) -> QuerySet[Remittance]:
    """What a run made of each claim."""
    return run.remittances.select_related("claim", "provider").order_by("claim__number")


def payment_run_groups(run: PaymentRun) -> list[dict[str, Any]]:
    """Who is paid what by a run: provider, account, remittances, total in minor units. Cancelled items included."""
    items = run.items.select_related("remittance__provider", "remittance__claim", "payment")
    groups: dict[str, dict[str, Any]] = {}
    for item in items.order_by("remittance__provider__code", "remittance__claim__number", "id"):
        provider = item.remittance.provider
        group = groups.setdefault(provider.code, {"provider": provider, "remittances": [], "total": 0})
        group["remittances"].append(item.remittance)
        group["total"] += item.remittance.payable
    return list(groups.values())


def matches_of_payment(payment: Payment) -> QuerySet[Match]:
    """Bank lines that carried a payment out or brought it back."""
    rows = payment.matches.filter(**LIVE)
    return rows.select_related("statement_line__statement", "matched_by").order_by("id")


def postings_of_payment(payment: Payment) -> QuerySet[Posting]:
    """Postings of a payment in the order they were made."""
    return (
        Posting.objects.filter(payment_id=payment.pk)
        .select_related("entry", "account__provider", "account__budget_line", "account__neighbour")
        .order_by("id")
    )


@dataclass(frozen=True)
class ReturnedAccount:
    """The last payment to an account, which the bank gave back on a day, and why in words."""

    payment: Payment
    on: date
    reason: str
    known_at: datetime


def returned_accounts(organisation: Organisation, accounts: Mapping[int, str]) -> list[ReturnedAccount]:
    """Of accounts by provider key, those from which the last payment came back with a reason of the bank."""
    later = Payment.objects.filter(
        provider=OuterRef("payment__provider"), iban=OuterRef("payment__iban"), pk__gt=OuterRef("payment")
    )
    rows = Match.objects.filter(
        ~Exists(later.filter(organisation=organisation, status="confirmed")),
        kind="return",
        payment__organisation=organisation,
        payment__provider__in=accounts,
        payment__status="returned",
        **LIVE,
    ).exclude(statement_line__return_reason="")
    found = [
        row
        for row in rows.select_related("payment__provider", "statement_line").order_by("id")
        if row.payment.iban == accounts[row.payment.provider_id]
    ]
    last = {row.payment.provider_id: row for row in found}
    return [_returned_account(row) for row in last.values()]


def _returned_account(row: Match) -> ReturnedAccount:
    line = row.statement_line
    return ReturnedAccount(row.payment, line.booked_on, return_words(line.return_reason), row.matched_at)


@dataclass(frozen=True)
class JudgedAgain:
    """Lines of a claim that waited for a person and were judged again: what their first decision claimed and let wait,
    minor units. A claim that takes such lines back has the opposite amounts and no lines.
    """

    lines: int
    claimed: int
    pended: int


# Of remittances that let something wait, the decisions that a later one, in a remittance of the same set, replaced.
_JUDGED_AGAIN = """
WITH part AS (SELECT run_id, claim_id, pended FROM settlement_remittance WHERE id = ANY(%s))
SELECT a.claim_id, count(*) FILTER (WHERE a.reverses_id IS NULL), sum(a.amount_claimed),
    sum(CASE WHEN a.reverses_id IS NULL THEN w.pended ELSE -w.pended END)
FROM part p
JOIN settlement_adjudication a ON a.claim_id = p.claim_id AND a.run_id = p.run_id AND a.outcome = 'pended'
JOIN settlement_adjudication o ON o.id = COALESCE(a.reverses_id, a.id)
CROSS JOIN LATERAL (SELECT COALESCE(sum(f.amount), 0) AS pended FROM settlement_finding f
                    WHERE f.run_id = o.run_id AND f.claim_line_id = o.claim_line_id AND f.severity = 'P') w
WHERE p.pended <> 0 AND EXISTS (
    SELECT 1 FROM settlement_adjudication b JOIN part q ON q.claim_id = b.claim_id AND q.run_id = b.run_id
    WHERE b.claim_id = a.claim_id AND b.claim_line_id = a.claim_line_id AND b.id > a.id)
GROUP BY a.claim_id
"""


def judged_again(remittances: Iterable[int]) -> dict[int, JudgedAgain]:
    """By claim, what remittances together count twice, because a line that waited was then judged again."""
    with connection.cursor() as cursor:
        cursor.execute(_JUDGED_AGAIN, [list(remittances)])
        return {claim: JudgedAgain(lines, int(claimed), int(pended)) for claim, lines, claimed, pended in cursor}


def month_figures(organisation: Organisation, month: date) -> dict[str, int]:
    """Figures of a settled month in minor units; claimed = reduced + waiting + gross, each line counted once.

    ``cleared`` is the part of claimed that waited for a person and was then judged again, ``cleared_lines`` how many
    lines that were.
    """
    rows = Remittance.objects.filter(run__organisation=organisation, run__period=month, run__status="done")
    names = {"claimed": "amount_claimed", "waiting": "pended", "gross": "gross", "fee": "fee", "payable": "payable"}
    figures = {name: value or 0 for name, value in rows.aggregate(**{k: Sum(v) for k, v in names.items()}).items()}
    twice = judged_again(rows.values_list("pk", flat=True)).values()
    figures["claimed"] -= sum(row.claimed for row in twice)
    figures["waiting"] -= sum(row.pended for row in twice)
    figures["reduced"] = figures["claimed"] - figures["waiting"] - figures["gross"]
    figures["cleared"] = sum(row.claimed for row in twice if row.lines)
    figures["cleared_lines"] = sum(row.lines for row in twice)
    return figures | _paid_figures(organisation, month)


def waiting_claims(organisation: Organisation, month: date) -> list[tuple[Claim, int]]:
    """Submitted claims of a month that no run has judged, with what they ask, minor units: of one that takes another
    back the sum of that one, negative. Two queries.
    """
    rows = Claim.objects.filter(organisation=organisation, period=month, status="submitted").order_by("number")
    claims = list(rows)
    asking = Claim.objects.filter(pk__in=[claim.reverses_id or claim.pk for claim in claims])
    sums: QuerySet[Any, Any] = with_sums(asking.order_by())
    asked = {row.pk: (row.claimed or 0) // 100 for row in sums}
    return [(claim, -asked[claim.reverses_id] if claim.reverses_id else asked[claim.pk]) for claim in claims]


def _paid_figures(organisation: Organisation, month: date) -> dict[str, int]:
    totals = {"confirmed": 0, "returned": 0}
    for payment, amount in paid_for_month(Payment.objects.filter(organisation=organisation), month):
        totals[payment.status] = totals.get(payment.status, 0) + amount
    asked = sum(case.debt_minor for case in asked_back_of_month(organisation, month))
    return {"paid": totals["confirmed"] - asked, "returned": totals["returned"]}


def asked_back_of_month(organisation: Organisation, month: date) -> QuerySet[ClawbackCase]:
    """Decided cases by which providers give back what was paid too much for a month: it no longer counts as paid."""
    rows = ClawbackCase.objects.filter(organisation=organisation, debt_period=month, outcome=WHOLE)
    return rows.order_by("decided_at", "pk")


def paid_for_month(payments: QuerySet[Payment], month: date) -> list[tuple[Payment, int]]:
    """Of payments, what each is for claims of a month, minor units; negative where it takes off what was paid too much
    for that month. A payment of advances counts for the month of its run.
    """
    of_claims = payments.filter(items__remittance__run__period=month).select_related("payment_run").order_by("id")
    ahead = Q(advance_items__isnull=False, payment_run__period=month)
    advanced = payments.filter(ahead).select_related("payment_run").order_by("id").distinct()
    return [
        *((row, row.part) for row in of_claims.annotate(part=Sum("items__remittance__payable"))),
        *((row, to_minor(row.amount.amount)) for row in advanced),
    ]


def providers_of_month(organisation: Organisation, month: date) -> list[dict[str, Any]]:
    """Providers with remittances of a settled month: key, name, allowed and payable in minor units."""
    rows = Remittance.objects.filter(run__organisation=organisation, run__period=month, run__status="done")
    sums = rows.values("provider_id", "provider__name").annotate(gross_minor=Sum("gross"), payable_minor=Sum("payable"))
    return list(sums.order_by("provider__name", "provider_id"))


def months_in_work(organisation: Organisation, current: date) -> list[date]:
    """Months that are not closed and have claims or entries, and the current one (its first day); newest first."""
    query = """
        SELECT period FROM settlement_claim WHERE organisation_id = %(organisation)s AND period <= %(current)s
        UNION SELECT date_trunc('month', date)::date FROM settlement_entry
        WHERE organisation_id = %(organisation)s AND date < %(next)s
        UNION SELECT %(current)s::date
        EXCEPT SELECT month FROM settlement_closedmonth WHERE organisation_id = %(organisation)s ORDER BY 1 DESC
    """
    params: dict[str, Any] = {"organisation": organisation.pk, "current": current, "next": add_months(current, 1)}
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return [month for (month,) in cursor.fetchall()]


def closed_months(organisation: Organisation, search: str = "") -> QuerySet[ClosedMonth]:
    """Closed months, newest first; ``search``: a month or who closed it."""
    rows = ClosedMonth.objects.filter(organisation=organisation).select_related("closed_by")
    if search:
        rows = rows.annotate(written=month_written("month")).filter(
            Q(written__icontains=search) | Q(closed_by__display_name__icontains=search)
        )
    return rows.order_by("-month")
