"""What waits for a person: counts with links, by permission. One query a card, whatever the number of records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from config.accounts.access import Access
from config.accounts.people import ACTIVE, INVITED, LOCKED
from config.pages import waiting_rows
from settlement.term_queries import terms_to_decide
from settlement.uncorrected_queries import uncorrected_months


def _itself(row: Any) -> Any:
    return row


def _to_correct(access: Access) -> QuerySet[Any]:
    return uncorrected_months(access.office())


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


DUTIES: tuple[Duty, ...] = (
    Duty(
        "bids_to_open",
        "bids.open",
        _("Competitions whose bids can be opened"),
        _("The deadline has passed."),
        "procurement:competitions",
        waiting_rows.to_open,
    ),
    Duty(
        "awards_to_conclude",
        "awards.decide",
        _("Awards past the stand-still"),
        _("A contract can be concluded."),
        "procurement:competitions",
        waiting_rows.to_conclude,
        subject=_tender,
        related=("tender",),
    ),
    Duty(
        "competitions_to_approve",
        "tenders.approve",
        _("Competitions to approve"),
        _("Somebody else has written the documents; you approve them."),
        "procurement:competitions",
        waiting_rows.to_approve,
    ),
    Duty(
        "norms_to_approve",
        "norms.approve",
        _("Norm costs to approve"),
        _("Check the rows of the calculation."),
        "contracts:norms",
        waiting_rows.norms,
    ),
    Duty(
        "past_terms_to_approve",
        "past_days.approve",
        _("Terms of contracts for past days to approve"),
        _("Compare them with the paper, and look at what is already settled."),
        "contracts:contracts",
        waiting_rows.past_terms,
    ),
    Duty(
        "declarations",
        "bids.score",
        _("Declarations of interest to make"),
        _("The bidders are known now."),
        "procurement:competitions",
        waiting_rows.declarations,
        subject=_tender,
        related=("tender",),
    ),
    Duty(
        "competitions_to_score",
        "bids.score",
        _("Competitions to score"),
        _("Your marks are missing."),
        "procurement:competitions",
        waiting_rows.scores,
        subject=_tender,
        related=("tender",),
    ),
    Duty(
        "contracts",
        "contracts.edit",
        _("Contracts in force"),
        _("Look at terms, prices and volumes."),
        "contracts:contracts",
        waiting_rows.contracts,
        lookup=True,
    ),
    Duty(
        "recipients_unassessed",
        "fees.decide",
        _("Recipients without an assessment of needs"),
        _("Assess needs, then decide the fee."),
        "vouchers:recipients",
        waiting_rows.unassessed,
    ),
    Duty(
        "plans_without_certificate",
        "certificates.issue",
        _("Approved plans without a certificate"),
        _("Issue a certificate."),
        "vouchers:recipients",
        waiting_rows.without_certificate,
        subject=lambda row: row.recipient,
        related=("recipient",),
    ),
    Duty(
        "certificates_ending",
        "certificates.issue",
        _("Certificates that end soon"),
        _("Review the plan while they are in force."),
        "vouchers:certificates",
        waiting_rows.expiring,
    ),
    Duty(
        "visits_to_confirm",
        "certificates.redeem",
        _("Authorised visits to confirm"),
        _("Confirm what was provided, or void."),
        "vouchers:redemptions",
        waiting_rows.held,
        query="state=authorised",
    ),
    Duty(
        "claims_unsubmitted",
        "claims.submit",
        _("Claims not submitted yet"),
        _("Drafts and returned claims."),
        "settlement:claims",
        waiting_rows.draft_claims,
    ),
    Duty(
        "lines_refused",
        "claims.submit",
        _("Refused and reduced lines that you can still appeal"),
        _("Open a line: it says why and what to do."),
        "settlement:claims",
        waiting_rows.refused_lines,
        subject=lambda row: row.claim_line,
        related=("claim_line__claim",),
    ),
    Duty(
        "clawbacks_to_reply",
        "clawbacks.reply",
        _("Notices that money is asked back"),
        _("Read what was found and reply within the term."),
        "settlement:clawbacks",
        waiting_rows.own_clawbacks("notified"),
        query="status=notified",
    ),
    Duty(
        "clawbacks_to_return",
        "clawbacks.reply",
        _("Money to return"),
        _("Return it within the term, or it is kept back from your next claims."),
        "settlement:clawbacks",
        waiting_rows.own_clawbacks("decided"),
        query="status=decided",
    ),
    Duty(
        "competitions_open",
        "bids.submit",
        _("Competitions open for bids"),
        _("Read the documents and submit a bid."),
        "procurement:competitions",
        waiting_rows.open_competitions,
    ),
    Duty(
        "claims_to_adjudicate",
        "claims.adjudicate",
        _("Claims to adjudicate"),
        _("Submitted and not judged yet."),
        "settlement:claims",
        waiting_rows.submitted,
        query="status=submitted",
    ),
    Duty(
        "terms_to_decide",
        "claims.restore_term",
        _("Late claims whose term another person proposes to restore"),
        _("Read the cause, then confirm or refuse before the run."),
        "settlement:claims",
        terms_to_decide,
        subject=lambda row: row.claim,
        related=("claim",),
    ),
    Duty(
        "pends",
        "claims.clear",
        _("Lines waiting for a person"),
        _("Propose to pay them with a reason, for another person to confirm, or leave them."),
        "settlement:pends",
        waiting_rows.pends,
        query="",
    ),
    Duty(
        "appeals_to_answer",
        "appeals.answer",
        _("Appeals to answer"),
        _("A provider disputes a decision that another person made."),
        "settlement:appeals",
        waiting_rows.appeals,
    ),
    Duty(
        "appeals_sent",
        "claims.submit",
        _("Appeals without an answer"),
        _("The office answers; you read it there."),
        "settlement:appeals",
        waiting_rows.appeals_sent,
        lookup=True,
        query="status=open",
    ),
    Duty(
        "months_to_correct",
        "corrections.propose",
        _("Closed months to correct"),
        _("Something was put right for their days: prepare the correction, or say why none is needed."),
        "settlement:uncorrected_months",
        _to_correct,
        query="",
    ),
    Duty(
        "corrections_to_approve",
        "corrections.approve",
        _("Corrections of closed months to approve"),
        _("Somebody else has prepared them; look at the lines, then approve."),
        "settlement:corrections",
        waiting_rows.corrections,
    ),
    Duty(
        "objections_to_answer",
        "corrections.answer",
        _("Objections of recipients to answer"),
        _("A recipient does not agree with a correction."),
        "settlement:corrections",
        waiting_rows.objections,
        subject=lambda row: row.correction,
        related=("correction",),
    ),
    Duty(
        "fee_revisions_to_approve",
        "fees.approve",
        _("Fees of past months to approve"),
        _("Somebody else decided them anew; look at the reason and the months, then approve."),
        "settlement:fee_revisions",
        waiting_rows.fee_revisions,
    ),
    Duty(
        "fee_objections_to_answer",
        "corrections.answer",
        _("Objections to fees to answer"),
        _("A recipient does not agree with a fee decided anew."),
        "settlement:fee_revisions",
        waiting_rows.fee_objections,
        subject=lambda row: row.revision,
        related=("revision",),
    ),
    Duty(
        "own_corrections",
        "corrections.own",
        _("Corrections of past months"),
        _("Read what changed for you and until when you can object."),
        "settlement:own_corrections",
        waiting_rows.own_corrections,
        lookup=True,
        query="",
    ),
    Duty(
        "fees_unpaid",
        "fee_notices.issue",
        _("Fee notices not paid yet"),
        _("What recipients still owe, by notice."),
        "settlement:fee_notices",
        waiting_rows.unpaid_notices,
        lookup=True,
        query="status=open",
    ),
    Duty(
        "fee_refunds_to_approve",
        "fee_refunds.approve",
        _("Refunds of fees to approve"),
        _("Asked for by another person."),
        "settlement:fee_notices",
        waiting_rows.fee_refunds,
        subject=lambda row: row.receipt.notice,
        related=("receipt__notice",),
    ),
    Duty(
        "own_fees",
        "fee_notices.pay",
        _("My fees to pay"),
        _("The notice says how to pay."),
        "settlement:own_fees",
        waiting_rows.own_unpaid_notices,
        unless="fee_notices.view",
    ),
    Duty(
        "clawbacks_to_send",
        "clawbacks.open",
        _("Cases of money asked back: send or close"),
        _("Send the notice, or close what has come back."),
        "settlement:clawbacks",
        waiting_rows.clawbacks_to_send,
    ),
    Duty(
        "clawbacks_to_decide",
        "clawbacks.decide",
        _("Cases of money asked back to decide"),
        _("The provider has replied or its term has passed; another person opened the case."),
        "settlement:clawbacks",
        waiting_rows.clawbacks_to_decide,
    ),
    Duty(
        "advances_to_grant",
        "advances.approve",
        _("Advances to grant"),
        _("Another person proposed them: grant them or say no."),
        "settlement:advances",
        waiting_rows.advances_to_grant,
    ),
    Duty(
        "own_advances_to_return",
        "claims.submit",
        _("Advances to return"),
        _("Return what is left and quote the reference."),
        "settlement:advances",
        waiting_rows.own_advances_to_return,
    ),
    Duty(
        "sums_to_pay",
        "payment_runs.propose",
        _("Sums to pay"),
        _("Propose a payment run."),
        "settlement:payment_runs",
        waiting_rows.payable,
        subject=lambda row: row.claim,
        related=("claim",),
    ),
    Duty(
        "sums_held",
        "payment_runs.propose",
        _("Sums that are held"),
        _("No run pays them until the hold is lifted."),
        "settlement:holds",
        waiting_rows.payable_but_held,
        subject=lambda row: row.claim,
        related=("claim",),
    ),
    Duty(
        "runs_to_approve",
        "payment_runs.approve",
        _("Payment runs to approve"),
        _("Proposed by another person."),
        "settlement:payment_runs",
        waiting_rows.runs("proposed"),
    ),
    Duty(
        "runs_to_release",
        "payment_runs.release",
        _("Payment runs to send to the bank"),
        _("Approved and not released yet."),
        "settlement:payment_runs",
        waiting_rows.runs("approved"),
    ),
    Duty(
        "bank_records",
        "statements.match",
        _("Bank records without an explanation"),
        _("Match them with a payment or explain them."),
        "settlement:open_bank_lines",
        waiting_rows.exceptions,
        query="",
    ),
    Duty(
        "bank_records_overdue",
        "statements.match",
        _("Bank records past their last day without an explanation"),
        _("Explain these first: the month cannot be closed with them."),
        "settlement:open_bank_lines",
        waiting_rows.overdue,
        query="age=overdue",
    ),
    Duty(
        "silent_payments",
        "statements.import",
        _("Payments that the bank has not answered for"),
        _("Import the statement of the payment day, or ask the bank."),
        "settlement:open_bank_lines",
        waiting_rows.silent,
    ),
    Duty(
        "bank_acts",
        "statements.match",
        _("Acts with the bank to sign"),
        _("Another person has signed; two must."),
        "settlement:bank_acts",
        waiting_rows.acts,
    ),
    Duty(
        "clearing_to_sign",
        "clearing.agree",
        _("Clearing statements to sign"),
        _("What a neighbour and we owe each other for a month; each side signs."),
        "settlement:clearing",
        waiting_rows.clearing_to_sign,
    ),
    Duty(
        "adjudication_runs",
        "trail.view",
        _("Adjudication runs"),
        _("Totals, checks and parameters of each run."),
        "settlement:adjudication_runs",
        waiting_rows.adjudication_runs,
        lookup=True,
        query="",
    ),
    Duty(
        "parameters_to_approve",
        "parameters.approve",
        _("Values of parameters to approve"),
        _("Somebody else has written them down; compare each with its act."),
        "contracts:parameters",
        waiting_rows.proposals,
    ),
    Duty(
        "parameters_unverified",
        "parameters.edit",
        _("Parameters nobody has verified"),
        _("Find the act and write down the evidence."),
        "contracts:parameters",
        waiting_rows.unverified,
    ),
    Duty(
        "invitations_open",
        "users.manage",
        _("Invitations not used yet"),
        _("These people have not chosen a password. Give them a new link when the old one is over."),
        "people",
        waiting_rows.people(INVITED),
        query=f"state={INVITED}",
    ),
    Duty(
        "sign_ins_paused",
        "users.manage",
        _("Sign-ins paused after wrong passwords"),
        _("End the pause when the person asks for it."),
        "people",
        waiting_rows.people(LOCKED),
        query=f"state={LOCKED}",
    ),
    Duty(
        "people",
        "users.manage",
        _("People with access"),
        _("Of this organisation."),
        "people",
        waiting_rows.people(ACTIVE),
        lookup=True,
        query=f"state={ACTIVE}",
    ),
    Duty(
        "failed_jobs",
        "users.manage",
        _("Background jobs that failed"),
        _("See the log of the worker."),
        "",
        waiting_rows.failed_jobs,
    ),
)
# What a recipient sees is shown in another form on the same page.
OWN = Duty(
    "own_certificates",
    "certificates.view",
    _("My certificates"),
    _("What is left and where to use it."),
    "vouchers:mine",
    waiting_rows.own_certificates,
    lookup=True,
    unless="fees.view",
)


def cards_of(access: Access) -> list[Card]:
    """Cards of a person, most urgent first: what waits before what does not."""
    cards = [_card(duty, access) for duty in duties_of(access)]
    return sorted(cards, key=lambda card: not card.waits)


def card_of(key: str, access: Access) -> Card | None:
    """The card of one kind of work, if it is the person's and something waits."""
    cards = (_card(duty, access) for duty in duties_of(access) if duty.key == key)
    return next((card for card in cards if card.waits), None)


def duties_of(access: Access) -> list[Duty]:
    """Kinds of work of a person, in the order of the table."""
    return [duty for duty in (*DUTIES, OWN) if duty.permission in access.offered and duty.unless not in access.offered]


def _card(duty: Duty, access: Access) -> Card:
    count = duty.rows(access).count()
    return Card(count, duty.what, duty.hint, address_of(duty), waits=bool(count) and not duty.lookup)


def address_of(duty: Duty) -> str:
    """The list of exactly the rows that the card counts."""
    if duty.query is None:
        return reverse("waiting", args=[duty.key])
    return reverse(duty.url_name) + (f"?{duty.query}" if duty.query else "")
