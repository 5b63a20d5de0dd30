"""Reads of clawbacks: who sees which case, what of a line can be asked back, what is still owed."""

# ruff: noqa: S608  SQL is put together from names in this code; every value is a parameter.

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.db.models import Case, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, When
from django.db.models.functions import Coalesce

from config.accounts.access import Access
from config.accounts.models import Organisation
from config.clock import local_date
from contracts.parameters import ParameterBook
from contracts.queries import provider_of
from settlement.models import Claim, ClaimLine, ClawbackCase, ClawbackDebt, ClawbackLine, ClawbackRecovery, Remittance
from settlement.models.clawbacks import SETTLED
from settlement.rules.clawback import look_back_from

LOOK_BACK, REPLY_DAYS, RETURN_DAYS = "clawback.look_back", "clawback.reply_days", "clawback.return_days"
# States in which the provider's word or money is awaited, or the office's decision.
OPEN_STATES = ("found", "notified", "replied", "decided", "recovered")

# Of lines what was paid and what earlier cases took of it; minor units.
_PAID = f"""
SELECT l.id,
    COALESCE((SELECT sum(a.payable) FROM settlement_adjudication a
        JOIN settlement_remittance m ON m.run_id = a.run_id AND m.claim_id = a.claim_id
        WHERE a.claim_line_id = l.id AND (a.reverses_id IS NOT NULL OR {SETTLED})), 0)::bigint,
    COALESCE((SELECT sum(COALESCE(x.upheld_minor, x.amount_minor)) FROM settlement_clawbackline x
        WHERE x.claim_line_id = l.id), 0)::bigint
FROM settlement_claimline l WHERE l.id = ANY(%s)
"""
_ANYTHING_PAID = f"SELECT EXISTS (SELECT 1 FROM settlement_remittance m WHERE m.claim_id = %s AND {SETTLED})"


@dataclass(frozen=True)
class Claimable:
    """What of a line can be asked back, minor units."""

    paid: int
    taken: int

    @property
    def left(self) -> int:
        """Paid, and not asked back by another case."""
        return max(self.paid - self.taken, 0)


def claimable(lines: Iterable[int]) -> dict[int, Claimable]:
    """By line; paid counts what the bank carried out or an offset settled, less reversals."""
    with connection.cursor() as cursor:
        cursor.execute(_PAID, [list(lines)])
        return {line: Claimable(paid, taken) for line, paid, taken in cursor.fetchall()}


def anything_paid(claim: Claim) -> bool:
    """Whether the bank carried out or an offset settled anything of a claim."""
    with connection.cursor() as cursor:
        cursor.execute(_ANYTHING_PAID, [claim.pk])
        return bool(cursor.fetchone()[0])


def earliest_day(organisation: Organisation, on: date) -> date:
    """The earliest day of a service that a case opened on a day may rest on. Raises: ParameterMissing."""
    years = ParameterBook.load(organisation, LOOK_BACK).value(LOOK_BACK, on).whole
    return look_back_from(on, years)


def _sum(rows: QuerySet, name: str) -> Coalesce:  # type: ignore[type-arg]
    sums = rows.filter(case=OuterRef("pk")).order_by().values("case").annotate(found=Sum(name)).values("found")
    return Coalesce(Subquery(sums, output_field=IntegerField()), 0)


def with_sums(rows: QuerySet[ClawbackCase]) -> QuerySet[ClawbackCase]:
    """Cases with ``asked``, ``upheld``, ``recovered`` and ``outstanding``, minor units."""
    lines, back = ClawbackLine.objects.all(), ClawbackRecovery.objects.all()
    owed = Case(When(outcome="whole", then=F("debt_minor")), default=0)
    rows = rows.annotate(
        asked=_sum(lines, "amount_minor") + F("debt_minor"),
        upheld=_sum(lines, "upheld_minor") + owed,
        recovered=_sum(back, "amount_minor"),
    )
    return rows.annotate(outstanding=F("upheld") - F("recovered"))


def cases(access: Access, search: str = "", status: str = "") -> QuerySet[ClawbackCase]:
    """The office sees its own, a provider those that it was told of; open ones first, newest first."""
    rows = with_sums(_in_scope(access)).select_related("provider", "organisation", "contract", "opened_by", "reply")
    if search:
        words = Q(number__icontains=search) | Q(provider__name__icontains=search) | Q(finding__icontains=search)
        claims = Q(lines__claim_line__claim__number=search) | Q(debts__remittance__claim__number=search)
        rows = rows.filter(words | Q(contract_number__icontains=search) | claims).distinct()
    if status:
        rows = rows.filter(status=status)
    return rows.annotate(is_open=Q(status__in=OPEN_STATES)).order_by("-is_open", "-id")


def _in_scope(access: Access) -> QuerySet[ClawbackCase]:
    if access.may("claims.submit"):
        provider = provider_of(access.user)
        own = ClawbackCase.objects.filter(provider=provider) if provider else ClawbackCase.objects.none()
        return own.filter(notified_at__isnull=False)
    return ClawbackCase.objects.filter(organisation=access.office())


def lines_of(case: ClawbackCase) -> QuerySet[ClawbackLine]:
    """Lines of a case in the order of claims and lines."""
    rows = case.lines.select_related("claim_line__claim", "claim_line__service", "claim_line__worker")
    return rows.order_by("claim_line__claim__number", "claim_line__line")


def debts_of(case: ClawbackCase) -> QuerySet[ClawbackDebt]:
    """What a case about a paid month rests on, in the order of claims and runs."""
    rows = case.debts.select_related("remittance__claim", "remittance__run")
    return rows.order_by("remittance__claim__number", "remittance__run")


def recoveries_of(case: ClawbackCase) -> QuerySet[ClawbackRecovery]:
    """What came back, earliest first; undone repayments and what undoes them stand there too."""
    parts = ("statement_line__statement", "remittance__run", "remittance__claim", "undone_by", "undoes")
    return case.recoveries.select_related(*parts).order_by("id")


def offsets_of(remittances: Iterable[Remittance]) -> QuerySet[ClawbackRecovery]:
    """What was kept back from remittances, with the cases that it was for."""
    rows = ClawbackRecovery.objects.filter(remittance__in=[row.pk for row in remittances])
    return rows.select_related("case", "remittance__claim").order_by("case__number", "id")


def cases_of_claim(access: Access, claim: Claim) -> QuerySet[ClawbackCase]:
    """Cases that rest on lines of a claim, as far as the reader sees them."""
    lines = ClawbackLine.objects.filter(claim_line__claim=claim).values("case")
    debts = ClawbackDebt.objects.filter(remittance__claim=claim).values("case")
    return cases(access).filter(Q(pk__in=lines) | Q(pk__in=debts))


def paid_lines(claim: Claim, search: str = "") -> QuerySet[ClaimLine]:
    """Lines of a claim of which something was allowed, in their order."""
    rows = claim.lines.filter(adjudications__payable__gt=0, adjudications__reverses=None).distinct()
    if search:
        words = Q(certificate_number__icontains=search) | Q(redemption_code__icontains=search)
        rows = rows.filter(words | Q(worker_code__icontains=search))
    return rows.select_related("service", "worker").order_by("line")


def terms(access: Access, search: str = "") -> QuerySet[ClawbackCase]:
    """Cases whose reply or money is awaited, with ``due``: the last day of that term; the earliest first."""
    waiting = Q(status="notified") | Q(status="decided")
    rows = cases(access, search).filter(waiting)
    return rows.annotate(due=Coalesce("return_until", "reply_until")).order_by("due", "id")


def passed(case: ClawbackCase, on: date) -> bool:
    """Whether the term that runs has passed by a day."""
    until = {"notified": case.reply_until, "decided": case.return_until}.get(case.status)
    return until is not None and until < on


def may_decide(case: ClawbackCase, access: Access) -> bool:
    """Whether the reader is the second person of a case that can be decided now."""
    today = local_date(access.now(), case.organisation.zone)
    ready = case.status == "replied" or (case.status == "notified" and (bool(case.debt_minor) or passed(case, today)))
    return ready and access.may("clawbacks.decide") and case.opened_by_id != access.user.pk
