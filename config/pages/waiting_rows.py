"""What waits for a person: the rows themselves, each within what the person may see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from config.accounts.access import Access
from config.accounts.models import User
from config.accounts.people import people_of
from config.clock import local_date
from config.office.models import Job
from contracts.models import ContractLine, NormCost, Parameter, ParameterProposal, PastTerms
from contracts.parameters import ParameterBook
from contracts.queries import contracts_of_office, parameter_proposals, unverified_parameters
from procurement.models import Award, CommissionMember, Score, Tender
from settlement import (
    advance_queries,
    appeal_queries,
    clawback_queries,
    correction_queries,
    finance_queries,
    revision_queries,
)
from settlement.appeal_queries import appeals_to_answer
from settlement.bank_queries import bank_acts, overdue_lines, silent_payments
from settlement.clearing_queries import clearing_statements
from settlement.correction_queries import objections_to_answer
from settlement.fee_queries import fee_notices, own_fee_notices
from settlement.line_queries import waiting_lines, with_sums
from settlement.models import (
    Adjudication,
    AdjudicationRun,
    Claim,
    ClawbackCase,
    FeeRefund,
    Finding,
    PaymentRun,
)
from vouchers.models import Certificate, IndividualPlan, PlanLine, Recipient, Redemption
from vouchers.queries import guests

# Days before its end at which a certificate warns; the longest of them counts here.
WARN_DAYS = "certificate.warn_before_days"


# --- Competitions ----------------------------------------------------------------------------------


def tenders(access: Access) -> QuerySet[Tender]:
    return Tender.objects.filter(organisation=access.office())


def to_open(access: Access) -> QuerySet[Tender]:
    return tenders(access).filter(status="active", opened_at=None, bids_close_at__lte=access.now())


def to_conclude(access: Access) -> QuerySet[Award]:
    return Award.objects.filter(
        tender__organisation=access.office(), status="pending", contract=None, standstill_until__lte=access.now()
    )


def to_approve(access: Access) -> QuerySet[Tender]:
    return tenders(access).filter(status="planning", approver=None).exclude(author=access.user)


def norms(access: Access) -> QuerySet[NormCost]:
    return NormCost.objects.filter(organisation=access.office(), status="draft").exclude(author=access.user)


def past_terms(access: Access) -> QuerySet[PastTerms]:
    rows = PastTerms.objects.filter(contract__organisation=access.office(), status="draft")
    return rows.exclude(author=access.user)


def seats(access: Access) -> QuerySet[CommissionMember]:
    return CommissionMember.objects.filter(
        user=access.user, tender__status="active", tender__opened_at__isnull=False, tender__evaluated_at=None
    )


def declarations(access: Access) -> QuerySet[CommissionMember]:
    return seats(access).filter(declared_at=None)


def scores(access: Access) -> QuerySet[CommissionMember]:
    locked = Score.objects.filter(member=OuterRef("pk"), locked_at__isnull=False)
    return seats(access).filter(~Exists(locked), conflict=False)


def open_competitions(access: Access) -> QuerySet[Tender]:
    return Tender.objects.filter(status="active", opened_at=None, bids_close_at__gt=access.now())


# --- Recipients --------------------------------------------------------------------------------------


def expiring(access: Access) -> QuerySet[Certificate]:
    today = access.today()
    days = ParameterBook.load(access.office(), WARN_DAYS).get(WARN_DAYS, today)
    if days is None:
        return Certificate.objects.none()
    until = today + timedelta(days=max(map(int, days.text.split(","))))
    return Certificate.objects.filter(
        organisation=access.office(), status="active", home=None, valid_to__gt=today, valid_to__lte=until
    )


def unassessed(access: Access) -> QuerySet[Recipient]:
    # Where a guest lives needs are assessed and plans approved; here neither can be.
    rows = Recipient.objects.filter(organisation=access.office(), death_date=None, assessments=None)
    return rows.filter(~guests())


def without_certificate(access: Access) -> QuerySet[IndividualPlan]:
    live = Certificate.objects.filter(recipient=OuterRef("recipient"), status__in=["draft", "issued", "active"])
    # What no provider is contracted for, the office gives itself: nothing is bought with a certificate.
    bought = ContractLine.objects.filter(service=OuterRef("service"), contract__status="active")
    lines = PlanLine.objects.filter(Exists(bought), plan=OuterRef("pk"))
    plans = IndividualPlan.objects.filter(recipient__organisation=access.office(), status="approved")
    return plans.filter(~Exists(live), Exists(lines), ~guests("recipient"), recipient__death_date=None)


def own_certificates(access: Access) -> QuerySet[Certificate]:
    return Certificate.objects.filter(recipient__user=access.user, status__in=["active", "suspended"])


# --- Providers -----------------------------------------------------------------------------------------


def held(access: Access) -> QuerySet[Redemption]:
    return Redemption.objects.filter(provider__users__user=access.user, status="authorised")


def draft_claims(access: Access) -> QuerySet[Claim]:
    return with_sums(Claim.objects.filter(provider__users__user=access.user, status__in=["draft", "returned"]))


def refused_lines(access: Access) -> QuerySet[Adjudication]:
    asked = Q(pk__in=[])
    for office in access.organisations:
        asked |= appeal_queries.in_term(office, local_date(access.now(office), office.zone))
    claims = Claim.objects.filter(provider__users__user=access.user)
    return appeal_queries.appealable_decisions().filter(asked, claim__in=claims)


# --- Finance -------------------------------------------------------------------------------------------


def submitted(access: Access) -> QuerySet[Claim]:
    return Claim.objects.filter(organisation=access.office(), status="submitted")


def pends(access: Access) -> QuerySet[Finding]:
    return waiting_lines(access)


def exceptions(access: Access) -> QuerySet[Any]:
    return finance_queries.exceptions(access.office())


def overdue(access: Access) -> QuerySet[Any]:
    return overdue_lines(access.office(), access.today())


def silent(access: Access) -> QuerySet[Any]:
    return silent_payments(access.office(), access.today())


def acts(access: Access) -> QuerySet[Any]:
    rows = bank_acts(access.office()).exclude(signatures__place=2)
    return rows.exclude(signatures__signed_by=access.user)


def clearing_to_sign(access: Access) -> QuerySet[Any]:
    office = access.office()
    unsigned = Q(first=office, first_signed_at=None) | Q(second=office, second_signed_at=None)
    return clearing_statements(office).filter(unsigned, status="drawn").exclude(drawn_by=access.user)


def payable(access: Access) -> QuerySet[Any]:
    rows, _held = finance_queries.free_and_held(access.office(), access.today())
    # As a payment run sees it: what is taken back of a provider stands against what it gets for the month.
    same = rows.filter(run__period=OuterRef("run__period"), provider=OuterRef("provider")).order_by()
    net = Subquery(same.values("provider").annotate(net=Sum("payable")).values("net"))
    return rows.annotate(net=net).filter(payable__gt=0, net__gt=0)


def payable_but_held(access: Access) -> QuerySet[Any]:
    _free, held = finance_queries.free_and_held(access.office(), access.today())
    return held.filter(payable__gt=0)


def runs(status: str) -> Callable[[Access], QuerySet[PaymentRun]]:
    def rows(access: Access) -> QuerySet[PaymentRun]:
        found = PaymentRun.objects.filter(organisation=access.office(), status=status)
        return found.exclude(proposed_by=access.user) if status == "proposed" else found

    return rows


def contracts(access: Access) -> QuerySet[Any]:
    running = Q(valid_to=None) | Q(valid_to__gt=access.today())
    return contracts_of_office(access.office()).filter(running, status="active")


def adjudication_runs(access: Access) -> QuerySet[AdjudicationRun]:
    return AdjudicationRun.objects.filter(organisation=access.office())


def appeals(access: Access) -> QuerySet[Any]:
    return appeals_to_answer(access)


def appeals_sent(access: Access) -> QuerySet[Any]:
    return appeal_queries.appeals(access, only_open=True)


def corrections(access: Access) -> QuerySet[Any]:
    return correction_queries.to_approve(access)


def objections(access: Access) -> QuerySet[Any]:
    return objections_to_answer(access)


def fee_revisions(access: Access) -> QuerySet[Any]:
    return revision_queries.revisions_to_approve(access)


def fee_objections(access: Access) -> QuerySet[Any]:
    return revision_queries.fee_objections_to_answer(access)


def own_corrections(access: Access) -> QuerySet[Any]:
    return correction_queries.own_corrections(access.user)


def unpaid_notices(access: Access) -> QuerySet[Any]:
    return fee_notices(access.office(), state="open")


def own_unpaid_notices(access: Access) -> QuerySet[Any]:
    return own_fee_notices(access.user, "open")


def fee_refunds(access: Access) -> QuerySet[FeeRefund]:
    rows = FeeRefund.objects.filter(receipt__notice__organisation=access.office(), status="requested")
    return rows.exclude(requested_by=access.user)


def clawbacks(access: Access) -> QuerySet[Any]:
    return ClawbackCase.objects.filter(organisation=access.office())


def clawbacks_to_send(access: Access) -> QuerySet[Any]:
    return clawback_queries.with_sums(clawbacks(access).filter(status__in=["found", "recovered"]))


def clawbacks_to_decide(access: Access) -> QuerySet[Any]:
    over = Q(status="notified") & (Q(reply_until__lt=access.today()) | Q(debt_minor__gt=0))
    rows = clawbacks(access).filter(over | Q(status="replied")).exclude(opened_by=access.user)
    return clawback_queries.with_sums(rows)


def advances_to_grant(access: Access) -> QuerySet[Any]:
    return advance_queries.advances(access).filter(status="proposed").exclude(proposed_by=access.user)


def own_advances_to_return(access: Access) -> QuerySet[Any]:
    return advance_queries.advances(access).filter(status="due")


def own_clawbacks(status: str) -> Callable[[Access], QuerySet[Any]]:
    return lambda access: ClawbackCase.objects.filter(provider__users__user=access.user, status=status)


# --- Law and people --------------------------------------------------------------------------------------


def unverified(access: Access) -> QuerySet[Parameter]:
    office = access.office()
    return unverified_parameters(office, access.today())


def proposals(access: Access) -> QuerySet[ParameterProposal]:
    return parameter_proposals(access.office()).filter(status="draft").exclude(author=access.user)


def people(state: str) -> Callable[[Access], QuerySet[User]]:
    # Wall clock: links and pauses of sign-in run by it, also where business plays in a past month.
    return lambda access: people_of(access.office(), now=timezone.now(), state=state)


def failed_jobs(access: Access) -> QuerySet[Job]:
    return Job.objects.filter(state=Job.State.FAILED)
