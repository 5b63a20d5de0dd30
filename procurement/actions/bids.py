"""Bids of a social order: sealed until opening, then admitted or rejected with a coded ground."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError
from config.locks import lock_rows
from config.office.storage import GivenFile, attach
from config.transactions import step
from contracts.actions.register import check_acts_for, is_active
from contracts.models import Provider
from procurement.actions.application_checks import project_facts, project_parameters, rule_at_publication
from procurement.actions.competitions import TenderNotActive, drop_result, locked, refuse_decided
from procurement.models import Bid, BidDocument, BidFinding, Tender
from procurement.rules.project_budget import cofinance_share
from procurement.rules.rejection import GROUNDS, AdmissionFacts, AdmissionParameters, admission_grounds

SEALED_MEGABYTES = 20
REGISTERED_MONTHS = "grant.min_registered_months"
# Code of documents that nobody asked for: other_1, other_2 ...
OTHER = "other"
OPEN_STATES = ("submitted", "opened", "valid")


class BidsClosed(DomainError):
    """The deadline has passed."""

    code = "BIDS_CLOSED"
    message = _("Bids of %(tender)s closed at %(closed)s. A late bid cannot be accepted.")


class BidExists(DomainError):
    """One bid per bidder."""

    code = "BID_EXISTS"
    message = _("«%(provider)s» has already submitted a bid to %(tender)s. Withdraw it before submitting another.")


class BidInvalid(DomainError):
    """Price or volume is missing or not positive."""

    code = "BID_INVALID"
    message = _("A bid names a price and a number of recipients above zero.")


class BidsNotClosed(DomainError):
    """Contents cannot be read before the deadline."""

    code = "BIDS_NOT_CLOSED"
    message = _("Bids of %(tender)s can be opened after %(closed)s, when bidding has ended.")


class SealBroken(DomainError):
    """The content is not what was submitted."""

    code = "SEAL_BROKEN"
    message = _("The content of bid %(bid)s does not match its seal. Stop the opening and call the auditor.")


class DocumentsTooLarge(DomainError):
    """The sealed content has a limit."""

    code = "DOCUMENTS_TOO_LARGE"
    message = _("The documents of a bid may have %(max)s MB together. Make the files smaller.")


class GroundUnknown(DomainError):
    """Only grounds of the list reject a bid."""

    code = "GROUND_UNKNOWN"
    message = _("«%(ground)s» is not a ground for rejection. Choose one from the list and give the motive.")


class BidHasGrounds(DomainError):
    """The record itself proves a ground."""

    code = "BID_HAS_GROUNDS"
    message = _("This bid cannot be admitted: %(grounds)s. Reject it with this ground.")


@action
def submit_bid(
    *,
    tender: Tender,
    provider: Provider,
    unit_price: Decimal,
    recipients: int,
    documents: Mapping[str, GivenFile],
    note: str,
    actor: Actor,
    at: datetime,
) -> Bid:
    """Submit a sealed bid; ``documents`` maps the code of a required document to its file.

    Nobody reads the content or the files before opening: they are kept encrypted, their hash is the receipt.
    Raises: NotForProvider, TenderNotActive, BidsClosed, BidExists, BidInvalid, DocumentsTooLarge.
    Audit: bid.submitted (without content).
    """
    check_acts_for(provider, actor)
    tender = locked(tender)
    check_open_for_bids(tender, provider, at)
    if unit_price <= 0 or recipients <= 0:
        raise BidInvalid()
    if sum(len(row.content) for row in documents.values()) > SEALED_MEGABYTES * 1024 * 1024:
        raise DocumentsTooLarge(max=SEALED_MEGABYTES)
    content = {
        "unit_price": str(unit_price),
        "recipients": recipients,
        "documents": {code: _packed(row) for code, row in documents.items()},
        "note": note,
    }
    sealed = json.dumps(content, sort_keys=True, ensure_ascii=False)
    bid = Bid.objects.create(
        tender=tender, provider=provider, sealed=sealed, sealed_sha256=seal_of(sealed), status="draft", status_at=at
    )
    hand_in(bid=bid, actor=actor, at=at)
    record("bid.submitted", tender, bid, provider, actor=actor, at=at, seal=bid.sealed_sha256)
    return bid


def _packed(file: GivenFile) -> dict[str, str]:
    content = base64.b64encode(file.content).decode()
    return {"filename": file.filename, "content_type": file.content_type, "content": content}


def check_open_for_bids(tender: Tender, provider: Provider, at: datetime) -> None:
    """Raises: TenderNotActive, BidsClosed, BidExists."""
    if tender.status != "active" or tender.bids_close_at is None:
        raise TenderNotActive(tender=tender.number)
    if at > tender.bids_close_at:
        raise BidsClosed(tender=tender.number, closed=tender.bids_close_at)
    if tender.bids.filter(provider=provider, status__in=OPEN_STATES).exists():
        raise BidExists(provider=provider, tender=tender.number)


def seal_of(content: str) -> str:
    """Fingerprint of a bid's content."""
    return hashlib.sha256(content.encode()).hexdigest()


@step
def hand_in(*, bid: Bid, actor: Actor, at: datetime) -> None:
    """Number and submit a draft; the competition's row is locked by the caller."""
    last = bid.tender.bids.aggregate(last=Max("number"))["last"] or 0
    bid.number, bid.submitted_at, bid.submitted_by_id = last + 1, at, actor.user_id
    bid.save(update_fields=["number", "submitted_at", "submitted_by"])
    bid.move_to("submitted", at=at)


@action
def withdraw_bid(*, bid: Bid, actor: Actor, at: datetime) -> Bid:
    """Take a bid back before bidding ends. Raises: NotForProvider, BidsClosed, InvalidMove. Audit: bid.withdrawn."""
    check_acts_for(bid.provider, actor)
    tender = locked(bid.tender)
    bid = lock_rows(Bid.objects.filter(pk=bid.pk))[0]
    if tender.bids_close_at is not None and at > tender.bids_close_at:
        raise BidsClosed(tender=tender.number, closed=tender.bids_close_at)
    bid.move_to("withdrawn", at=at)
    record("bid.withdrawn", tender, bid, actor=actor, at=at)
    return bid


@action
def open_bids(*, tender: Tender, actor: Actor, at: datetime) -> list[Bid]:
    """Open every submitted bid after the deadline, check its seal and what the record proves against it.

    Raises: TenderNotActive, BidsNotClosed, SealBroken. Audit: bids.opened. Idempotent: no, a second opening is refused.
    """
    tender = locked(tender)
    if tender.status != "active" or tender.bids_close_at is None or tender.opened_at is not None:
        raise TenderNotActive(tender=tender.number)
    if at < tender.bids_close_at:
        raise BidsNotClosed(tender=tender.number, closed=tender.bids_close_at)
    tender.opened_at = at
    tender.save(update_fields=["opened_at"])
    bids = lock_rows(tender.bids.filter(status="submitted"))
    for bid in bids:
        if tender.kind == "social_order":
            _unseal(tender, bid, at)
        _note_grounds(tender, bid, at)
        bid.move_to("opened", at=at)
    record("bids.opened", tender, *bids, actor=actor, at=at, bids=len(bids))
    return bids


def _unseal(tender: Tender, bid: Bid, at: datetime) -> None:
    if seal_of(bid.sealed) != bid.sealed_sha256:
        raise SealBroken(bid=bid.number)
    content: dict[str, Any] = json.loads(bid.sealed)
    bid.unit_price, bid.recipients_offered = Decimal(content["unit_price"]), content["recipients"]
    bid.summary = content["note"]
    bid.save(update_fields=["unit_price", "recipients_offered", "summary"])
    given = {code: _unpacked(tender, bid, code, row, at) for code, row in content["documents"].items()}
    BidDocument.objects.bulk_create(
        BidDocument(
            bid=bid,
            code=row["code"],
            title=row["title"],
            present=row["code"] in given,
            attachment_sha256=given.get(row["code"], ""),
        )
        for row in [*tender.required_documents, *_others(content["documents"], tender)]
    )


@step
def _note_grounds(tender: Tender, bid: Bid, at: datetime) -> None:
    BidFinding.objects.bulk_create(
        BidFinding(
            bid=bid,
            position=position,
            code=code,
            severity="block",
            text=GROUNDS[code].title,
            params={"price": str(bid.unit_price), "norm": str(_norm(tender))} if code == "PRC-REJ-6" else {},
            recorded_at=at,
        )
        for position, code in enumerate(_grounds(tender, bid), bid.findings.count() + 1)
    )


def _others(given: Mapping[str, Mapping[str, str]], tender: Tender) -> list[dict[str, str]]:
    """Documents handed in beside the required ones, under their file names."""
    required = {row["code"] for row in tender.required_documents}
    return [{"code": code, "title": row["filename"]} for code, row in given.items() if code not in required]


@dataclass(frozen=True)
class SealedDocument:
    """What the bidder sees of a document inside the seal."""

    code: str
    name: str
    sha256: str


def sealed_documents(bid: Bid) -> list[SealedDocument]:
    """Documents of a bid that is not opened yet, for its own bidder."""
    content = json.loads(bid.sealed) if bid.sealed else {"documents": {}}
    return [
        SealedDocument(code, row["filename"], hashlib.sha256(base64.b64decode(row["content"])).hexdigest())
        for code, row in content["documents"].items()
    ]


def _unpacked(tender: Tender, bid: Bid, code: str, row: Mapping[str, str], at: datetime) -> str:
    stored = attach(
        organisation=tender.organisation,
        to=bid,
        kind=code,
        name=row["filename"],
        content=base64.b64decode(row["content"]),
        content_type=row["content_type"],
        uploaded_by_id=bid.submitted_by_id,
        at=at,
    )
    return stored.sha256


def _norm(tender: Tender) -> Decimal | None:
    return tender.norm_cost.unit_rate if tender.norm_cost else None


def _grounds(tender: Tender, bid: Bid) -> tuple[str, ...]:
    assert bid.submitted_at is not None
    if tender.kind == "project_contest":
        return _contest_grounds(tender, bid, bid.submitted_at)
    return grounds_against(tender=tender, provider=bid.provider, unit_price=bid.unit_price, at=bid.submitted_at)


def _contest_grounds(tender: Tender, bid: Bid, at: datetime) -> tuple[str, ...]:
    """What an application to a contest must prove beside: age of the applicant and its share of the money."""
    assert tender.bids_close_at is not None and tender.published_at is not None
    zone, months = tender.organisation.zone, rule_at_publication(tender, REGISTERED_MONTHS)
    call = project_parameters(tender)
    share = cofinance_share(facts=project_facts(bid), basis=call.cofinance_basis, of_grant=call.cofinance_of_grant)
    facts = AdmissionFacts(
        submitted_at=at,
        closes_at=tender.bids_close_at,
        in_register=is_active(bid.provider, local_date(at, zone)),
        registered_on=bid.provider.registered_on,
        announced_on=local_date(tender.published_at, zone),
        cofinance_percent=share,
    )
    parameters = AdmissionParameters(
        min_registered_months=int(Decimal(months)) if months else None,
        cofinance_percent=call.cofinance_percent,
    )
    return admission_grounds(facts=facts, parameters=parameters)


def grounds_against(*, tender: Tender, provider: Provider, unit_price: Decimal | None, at: datetime) -> tuple[str, ...]:
    """Grounds that the record proves against a bid submitted at a moment; a bidder is told before sealing."""
    assert tender.bids_close_at is not None
    facts = AdmissionFacts(
        submitted_at=at,
        closes_at=tender.bids_close_at,
        in_register=is_active(provider, local_date(at, tender.organisation.zone)),
        price=unit_price,
        norm_cost=_norm(tender),
    )
    return admission_grounds(facts=facts, parameters=AdmissionParameters())


@action
def reject_bid(*, bid: Bid, ground: str, reason: str, actor: Actor, at: datetime) -> Bid:
    """Reject an opened bid with a coded ground and a motive; it influences nobody's score.

    A result computed with it is dropped.
    Source: PRC-1. Raises: GroundUnknown, CompetitionDecided, InvalidMove. Audit: bid.rejected.
    """
    if ground not in GROUNDS or not reason.strip():
        raise GroundUnknown(ground=ground)
    tender = locked(bid.tender)
    refuse_decided(tender)
    drop_result(tender)
    bid = lock_rows(Bid.objects.filter(pk=bid.pk))[0]
    bid.rejection_code, bid.rejection_reason = ground, reason
    bid.save(update_fields=["rejection_code", "rejection_reason"])
    bid.move_to("rejected", at=at)
    record("bid.rejected", bid, bid.tender, actor=actor, at=at, organisation=_chain(bid), ground=ground)
    return bid


@action
def admit_bid(*, bid: Bid, actor: Actor, at: datetime) -> Bid:
    """Admit an opened bid to scoring. Raises: BidHasGrounds, InvalidMove. Audit: bid.admitted."""
    bid = lock_rows(Bid.objects.filter(pk=bid.pk))[0]
    grounds = [row.code for row in bid.findings.all() if row.severity == "block"]
    if grounds:
        raise BidHasGrounds(grounds=", ".join(grounds))
    bid.move_to("valid", at=at)
    record("bid.admitted", bid, bid.tender, actor=actor, at=at, organisation=_chain(bid))
    return bid


def _chain(bid: Bid) -> str:
    return bid.tender.organisation.code
