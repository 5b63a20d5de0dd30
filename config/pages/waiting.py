"""What waits for a person: counts with links, by permission. One query a card, whatever the number of records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.accounts.access import Access
from config.accounts.models import User
from config.accounts.people import ACTIVE, INVITED, LOCKED, people_of
from config.clock import local_date
from config.office.models import Job
from contracts.models import NormCost, Parameter, ParameterProposal
from contracts.parameters import ParameterBook
from contracts.queries import contracts_of_office, parameter_proposals, unverified_parameters
from procurement.models import Award, CommissionMember, Score, Tender
from settlement.appeal_queries import appeals, appeals_to_answer
from settlement.bank_queries import bank_acts, silent_payments
from settlement.correction_queries import objections_to_answer, own_corrections, to_approve
from settlement.fee_queries import fee_notices, own_fee_notices
from settlement.finance_queries import exceptions
from settlement.line_queries import pended_lines
from settlement.models import (
    Adjudication,
    AdjudicationRun,
    Claim,
    ClawbackCase,
    FeeRefund,
    Finding,
    PaymentRemittance,
    PaymentRun,
    Remittance,
)
from vouchers.models import Certificate, IndividualPlan, Recipient, Redemption

# Days before its end at which a certificate warns; the longest of them counts here.
WARN_DAYS = "certificate.warn_before_days"


def _itself(row: Any) -> Any:
    return row


def _tender(row: Any) -> Any:
    return row.tender


@dataclass(frozen=True)
class Card:
    """Something that waits: how many, of what, what to do about it, and where."""

    count: int
    what: Any
    hint: Any
    url: str
    waits: bool


@dataclass(frozen=True)
class Duty:
    """A kind of waiting work: who does it, how it is counted, where it is done."""

    key: str
    permission: str
    what: Any
    hint: Any
    url_name: str
    rows: Callable[[Access], QuerySet[Any]]
    # A look-up that is always of use; nobody waits for it.
    lookup: bool = False
    # The list at ``url_name`` shows exactly these rows when asked so; otherwise the page of waiting work lists them.
    query: str | None = None
    # The record whose page is opened for a row, and what must be read with the rows for it.
    subject: Callable[[Any], Any] = _itself
    related: tuple[str, ...] = ()
    # Holders of this permission have the office's list instead.
    unless: str = ""


# --- Competitions ----------------------------------------------------------------------------------


def _tenders(access: Access) -> QuerySet[Tender]:
    return Tender.objects.filter(organisation=access.office())


def _to_open(access: Access) -> QuerySet[Tender]:
    return _tenders(access).filter(status="active", opened_at=None, bids_close_at__lte=access.now())


def _to_conclude(access: Access) -> QuerySet[Award]:
    return Award.objects.filter(
        tender__organisation=access.office(), status="pending", contract=None, standstill_until__lte=access.now()
    )


def _to_approve(access: Access) -> QuerySet[Tender]:
    return _tenders(access).filter(status="planning", approver=None).exclude(author=access.user)


def _norms(access: Access) -> QuerySet[NormCost]:
    return NormCost.objects.filter(organisation=access.office(), status="draft").exclude(author=access.user)


def _seats(access: Access) -> QuerySet[CommissionMember]:
    return CommissionMember.objects.filter(
        user=access.user, tender__status="active", tender__opened_at__isnull=False, tender__evaluated_at=None
    )


def _declarations(access: Access) -> QuerySet[CommissionMember]:
    return _seats(access).filter(declared_at=None)


def _scores(access: Access) -> QuerySet[CommissionMember]:
    locked = Score.objects.filter(member=OuterRef("pk"), locked_at__isnull=False)
    return _seats(access).filter(~Exists(locked), conflict=False)


def _open_competitions(access: Access) -> QuerySet[Tender]:
    return Tender.objects.filter(status="active", opened_at=None, bids_close_at__gt=access.now())


# --- Recipients --------------------------------------------------------------------------------------


def _expiring(access: Access) -> QuerySet[Certificate]:
    today = local_date(access.now(), access.office().zone)
    days = ParameterBook.load(access.office(), WARN_DAYS).get(WARN_DAYS, today)
    if days is None:
        return Certificate.objects.none()
    until = today + timedelta(days=max(map(int, days.text.split(","))))
    return Certificate.objects.filter(
        organisation=access.office(), status="active", valid_to__gt=today, valid_to__lte=until
    )


def _unassessed(access: Access) -> QuerySet[Recipient]:
    return Recipient.objects.filter(organisation=access.office(), death_date=None, assessments=None)


def _without_certificate(access: Access) -> QuerySet[IndividualPlan]:
    live = Certificate.objects.filter(recipient=OuterRef("recipient"), status__in=["draft", "issued", "active"])
    plans = IndividualPlan.objects.filter(recipient__organisation=access.office(), status="approved")
    return plans.filter(~Exists(live), recipient__death_date=None)


def _own_certificates(access: Access) -> QuerySet[Certificate]:
    return Certificate.objects.filter(recipient__user=access.user, status__in=["active", "suspended"])


# --- Providers -----------------------------------------------------------------------------------------


def _held(access: Access) -> QuerySet[Redemption]:
    return Redemption.objects.filter(provider__users__user=access.user, status="authorised")


def _draft_claims(access: Access) -> QuerySet[Claim]:
    return Claim.objects.filter(provider__users__user=access.user, status__in=["draft", "returned"])


def _refused_lines(access: Access) -> QuerySet[Adjudication]:
    claims = Claim.objects.filter(provider__users__user=access.user)
    last = claims.filter(status__in=["adjudicated", "scheduled", "paid"]).order_by("-period", "-id").values("pk")[:1]
    return Adjudication.objects.filter(claim__in=last, outcome__in=["rejected", "reduced"])


# --- Finance -------------------------------------------------------------------------------------------


def _submitted(access: Access) -> QuerySet[Claim]:
    return Claim.objects.filter(organisation=access.office(), status="submitted")


def _pends(access: Access) -> QuerySet[Finding]:
    return pended_lines(access)


def _exceptions(access: Access) -> QuerySet[Any]:
    return exceptions(access.office())


def _silent(access: Access) -> QuerySet[Any]:
    return silent_payments(access.office(), local_date(access.now(), access.office().zone))


def _acts(access: Access) -> QuerySet[Any]:
    rows = bank_acts(access.office()).exclude(signatures__place=2)
    return rows.exclude(signatures__signed_by=access.user)


def _payable(access: Access) -> QuerySet[Any]:
    taken = PaymentRemittance.objects.filter(remittance=OuterRef("pk"), live=True)
    rows = Remittance.objects.filter(~Exists(taken), run__organisation=access.office(), run__status="done")
    return rows.filter(payable__gt=0)


def _runs(status: str) -> Callable[[Access], QuerySet[PaymentRun]]:
    def rows(access: Access) -> QuerySet[PaymentRun]:
        found = PaymentRun.objects.filter(organisation=access.office(), status=status)
        return found.exclude(proposed_by=access.user) if status == "proposed" else found

    return rows


def _contracts(access: Access) -> QuerySet[Any]:
    return contracts_of_office(access.office()).filter(status="active")


def _adjudication_runs(access: Access) -> QuerySet[AdjudicationRun]:
    return AdjudicationRun.objects.filter(organisation=access.office())


def _appeals(access: Access) -> QuerySet[Any]:
    return appeals_to_answer(access)


def _appeals_sent(access: Access) -> QuerySet[Any]:
    return appeals(access, only_open=True)


def _corrections(access: Access) -> QuerySet[Any]:
    return to_approve(access)


def _objections(access: Access) -> QuerySet[Any]:
    return objections_to_answer(access)


def _own_corrections(access: Access) -> QuerySet[Any]:
    return own_corrections(access.user)


def _unpaid_notices(access: Access) -> QuerySet[Any]:
    return fee_notices(access.office(), state="open")


def _own_unpaid_notices(access: Access) -> QuerySet[Any]:
    return own_fee_notices(access.user, "open")


def _fee_refunds(access: Access) -> QuerySet[FeeRefund]:
    rows = FeeRefund.objects.filter(receipt__notice__organisation=access.office(), status="requested")
    return rows.exclude(requested_by=access.user)


def _clawbacks(access: Access) -> QuerySet[Any]:
    return ClawbackCase.objects.filter(organisation=access.office())


def _clawbacks_to_send(access: Access) -> QuerySet[Any]:
    return _clawbacks(access).filter(status__in=["found", "recovered"])


def _clawbacks_to_decide(access: Access) -> QuerySet[Any]:
    over = Q(status="notified", reply_until__lt=local_date(access.now(), access.office().zone))
    return _clawbacks(access).filter(over | Q(status="replied")).exclude(opened_by=access.user)


def _own_clawbacks(status: str) -> Callable[[Access], QuerySet[Any]]:
    return lambda access: ClawbackCase.objects.filter(provider__users__user=access.user, status=status)


# --- Law and people --------------------------------------------------------------------------------------


def _unverified(access: Access) -> QuerySet[Parameter]:
    office = access.office()
    return unverified_parameters(office, local_date(access.now(), office.zone))


def _proposals(access: Access) -> QuerySet[ParameterProposal]:
    return parameter_proposals(access.office()).filter(status="draft").exclude(author=access.user)


def _people(state: str) -> Callable[[Access], QuerySet[User]]:
    # Wall clock: links and pauses of sign-in run by it, also where business plays in a past month.
    return lambda access: people_of(access.office(), now=timezone.now(), state=state)


def _failed_jobs(access: Access) -> QuerySet[Job]:
    return Job.objects.filter(state=Job.State.FAILED)


DUTIES: tuple[Duty, ...] = (
    Duty(
        "bids_to_open",
        "bids.open",
        _("Competitions whose bids can be opened"),
        _("The deadline has passed."),
        "procurement:competitions",
        _to_open,
    ),
    Duty(
        "awards_to_conclude",
        "awards.decide",
        _("Awards past the stand-still"),
        _("A contract can be concluded."),
        "procurement:competitions",
        _to_conclude,
        subject=_tender,
        related=("tender",),
    ),
    Duty(
        "competitions_to_approve",
        "tenders.approve",
        _("Competitions to approve"),
        _("Somebody else has written the documents; you approve them."),
        "procurement:competitions",
        _to_approve,
    ),
    Duty(
        "norms_to_approve",
        "norms.approve",
        _("Norm costs to approve"),
        _("Check the rows of the calculation."),
        "contracts:norms",
        _norms,
    ),
    Duty(
        "declarations",
        "bids.score",
        _("Declarations of interest to make"),
        _("The bidders are known now."),
        "procurement:competitions",
        _declarations,
        subject=_tender,
        related=("tender",),
    ),
    Duty(
        "competitions_to_score",
        "bids.score",
        _("Competitions to score"),
        _("Your marks are missing."),
        "procurement:competitions",
        _scores,
        subject=_tender,
        related=("tender",),
    ),
    Duty(
        "contracts",
        "contracts.edit",
        _("Contracts in force"),
        _("Look at terms, prices and volumes."),
        "contracts:contracts",
        _contracts,
        lookup=True,
    ),
    Duty(
        "recipients_unassessed",
        "fees.decide",
        _("Recipients without an assessment of needs"),
        _("Assess needs, then decide the fee."),
        "vouchers:recipients",
        _unassessed,
    ),
    Duty(
        "plans_without_certificate",
        "certificates.issue",
        _("Approved plans without a certificate"),
        _("Issue a certificate."),
        "vouchers:recipients",
        _without_certificate,
        subject=lambda row: row.recipient,
        related=("recipient",),
    ),
    Duty(
        "certificates_ending",
        "certificates.issue",
        _("Certificates that end soon"),
        _("Within 45 days: review the plan."),
        "vouchers:certificates",
        _expiring,
    ),
    Duty(
        "visits_to_confirm",
        "certificates.redeem",
        _("Authorised visits to confirm"),
        _("Confirm what was provided, or void."),
        "vouchers:redemptions",
        _held,
        query="state=authorised",
    ),
    Duty(
        "claims_unsubmitted",
        "claims.submit",
        _("Claims not submitted yet"),
        _("Drafts and returned claims."),
        "settlement:claims",
        _draft_claims,
    ),
    Duty(
        "lines_refused",
        "claims.submit",
        _("Refused and reduced lines of the last claim"),
        _("Each line says why and what to do."),
        "settlement:claims",
        _refused_lines,
        subject=lambda row: row.claim_line,
        related=("claim_line__claim",),
    ),
    Duty(
        "clawbacks_to_reply",
        "clawbacks.reply",
        _("Notices that money is asked back"),
        _("Read what was found and reply within the term."),
        "settlement:clawbacks",
        _own_clawbacks("notified"),
        query="status=notified",
    ),
    Duty(
        "clawbacks_to_return",
        "clawbacks.reply",
        _("Money to return"),
        _("Return it within the term, or it is kept back from your next claims."),
        "settlement:clawbacks",
        _own_clawbacks("decided"),
        query="status=decided",
    ),
    Duty(
        "competitions_open",
        "bids.submit",
        _("Competitions open for bids"),
        _("Read the documents and submit a bid."),
        "procurement:competitions",
        _open_competitions,
    ),
    Duty(
        "claims_to_adjudicate",
        "claims.adjudicate",
        _("Claims to adjudicate"),
        _("Submitted and not judged yet."),
        "settlement:claims",
        _submitted,
        query="status=submitted",
    ),
    Duty(
        "pends",
        "claims.clear",
        _("Lines waiting for a person"),
        _("Propose to pay them with a reason, for another person to confirm, or leave them."),
        "settlement:pends",
        _pends,
        query="",
    ),
    Duty(
        "appeals_to_answer",
        "appeals.answer",
        _("Appeals to answer"),
        _("A provider disputes a decision that another person made."),
        "settlement:appeals",
        _appeals,
    ),
    Duty(
        "appeals_sent",
        "claims.submit",
        _("Appeals without an answer"),
        _("The office answers; you read it there."),
        "settlement:appeals",
        _appeals_sent,
        lookup=True,
        query="status=open",
    ),
    Duty(
        "corrections_to_approve",
        "corrections.approve",
        _("Corrections of closed months to approve"),
        _("Somebody else has prepared them; look at the lines, then approve."),
        "settlement:corrections",
        _corrections,
    ),
    Duty(
        "objections_to_answer",
        "corrections.answer",
        _("Objections of recipients to answer"),
        _("A recipient does not agree with a correction."),
        "settlement:corrections",
        _objections,
        subject=lambda row: row.correction,
        related=("correction",),
    ),
    Duty(
        "own_corrections",
        "corrections.own",
        _("Corrections of past months"),
        _("Read what changed for you and until when you can object."),
        "settlement:own_corrections",
        _own_corrections,
        lookup=True,
        query="",
    ),
    Duty(
        "fees_unpaid",
        "fee_notices.issue",
        _("Fee notices not paid yet"),
        _("What recipients still owe, by notice."),
        "settlement:fee_notices",
        _unpaid_notices,
        lookup=True,
        query="status=open",
    ),
    Duty(
        "fee_refunds_to_approve",
        "fee_refunds.approve",
        _("Refunds of fees to approve"),
        _("Asked for by another person."),
        "settlement:fee_notices",
        _fee_refunds,
        subject=lambda row: row.receipt.notice,
        related=("receipt__notice",),
    ),
    Duty(
        "own_fees",
        "fee_notices.pay",
        _("My fees to pay"),
        _("The notice says how to pay."),
        "settlement:own_fees",
        _own_unpaid_notices,
        unless="fee_notices.view",
    ),
    Duty(
        "clawbacks_to_send",
        "clawbacks.open",
        _("Cases of money asked back: send or close"),
        _("Send the notice, or close what has come back."),
        "settlement:clawbacks",
        _clawbacks_to_send,
    ),
    Duty(
        "clawbacks_to_decide",
        "clawbacks.decide",
        _("Cases of money asked back to decide"),
        _("The provider has replied or its term has passed; another person opened the case."),
        "settlement:clawbacks",
        _clawbacks_to_decide,
    ),
    Duty(
        "sums_to_pay",
        "payment_runs.propose",
        _("Sums to pay"),
        _("Propose a payment run."),
        "settlement:payment_runs",
        _payable,
        subject=lambda row: row.claim,
        related=("claim",),
    ),
    Duty(
        "runs_to_approve",
        "payment_runs.approve",
        _("Payment runs to approve"),
        _("Proposed by another person."),
        "settlement:payment_runs",
        _runs("proposed"),
    ),
    Duty(
        "runs_to_release",
        "payment_runs.release",
        _("Payment runs to send to the bank"),
        _("Approved and not released yet."),
        "settlement:payment_runs",
        _runs("approved"),
    ),
    Duty(
        "bank_records",
        "statements.match",
        _("Bank records without an explanation"),
        _("Match them with a payment or explain them."),
        "settlement:open_bank_lines",
        _exceptions,
        query="",
    ),
    Duty(
        "silent_payments",
        "statements.import",
        _("Payments that the bank has not answered for"),
        _("Import the statement of the payment day, or ask the bank."),
        "settlement:open_bank_lines",
        _silent,
    ),
    Duty(
        "bank_acts",
        "statements.match",
        _("Acts with the bank to sign"),
        _("Another person has signed; two must."),
        "settlement:bank_acts",
        _acts,
    ),
    Duty(
        "adjudication_runs",
        "trail.view",
        _("Adjudication runs"),
        _("Totals, checks and parameters of each run."),
        "settlement:adjudication_runs",
        _adjudication_runs,
        lookup=True,
        query="",
    ),
    Duty(
        "parameters_to_approve",
        "parameters.approve",
        _("Values of parameters to approve"),
        _("Somebody else has written them down; compare each with its act."),
        "contracts:parameters",
        _proposals,
    ),
    Duty(
        "parameters_unverified",
        "parameters.edit",
        _("Parameters nobody has verified"),
        _("Find the act and write down the evidence."),
        "contracts:parameters",
        _unverified,
    ),
    Duty(
        "invitations_open",
        "users.manage",
        _("Invitations not used yet"),
        _("These people have not chosen a password. Give them a new link when the old one is over."),
        "people",
        _people(INVITED),
        query=f"state={INVITED}",
    ),
    Duty(
        "sign_ins_paused",
        "users.manage",
        _("Sign-ins paused after wrong passwords"),
        _("End the pause when the person asks for it."),
        "people",
        _people(LOCKED),
        query=f"state={LOCKED}",
    ),
    Duty(
        "people",
        "users.manage",
        _("People with access"),
        _("Of this organisation."),
        "people",
        _people(ACTIVE),
        lookup=True,
        query=f"state={ACTIVE}",
    ),
    Duty(
        "failed_jobs",
        "users.manage",
        _("Background jobs that failed"),
        _("See the log of the worker."),
        "",
        _failed_jobs,
    ),
)
# What a recipient sees is shown in another form on the same page.
OWN = Duty(
    "own_certificates",
    "certificates.view",
    _("My certificates"),
    _("What is left and where to use it."),
    "vouchers:mine",
    _own_certificates,
    lookup=True,
    unless="fees.view",
)


def cards_of(access: Access) -> list[Card]:
    """Cards of a person, most urgent first: what waits before what does not."""
    cards = [_card(duty, access) for duty in duties_of(access)]
    return sorted(cards, key=lambda card: not card.waits)


def duties_of(access: Access) -> list[Duty]:
    """Kinds of work of a person, in the order of the table."""
    return [
        duty for duty in (*DUTIES, OWN) if access.may(duty.permission) and not (duty.unless and access.may(duty.unless))
    ]


def _card(duty: Duty, access: Access) -> Card:
    count = duty.rows(access).count()
    return Card(count, duty.what, duty.hint, address_of(duty), waits=bool(count) and not duty.lookup)


def address_of(duty: Duty) -> str:
    """The list of exactly the rows that the card counts."""
    if duty.query is None:
        return reverse("waiting", args=[duty.key])
    return reverse(duty.url_name) + (f"?{duty.query}" if duty.query else "")
