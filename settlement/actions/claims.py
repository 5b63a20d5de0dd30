"""Claims of providers: made from redemptions or rows, submitted, withdrawn, returned, reversed."""

# ruff: noqa: S608  SQL is put together from names in this code; every value is a parameter.

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError, NotFound
from config.locks import lock_rows
from config.money import to_rate, to_units
from config.office.numbering import document_number
from config.office.storage import attach
from config.periods import add_months
from config.states import InvalidMove
from config.transactions import step
from contracts.models import Contract, Provider
from contracts.queries import term_ends
from settlement.actions.claim_notices import tell_provider
from settlement.claim_rows import AMOUNT_PLACES_CLAIMED, LineDraft
from settlement.models import Claim, ClaimLine, ClaimReturn, ClawbackLine, PaymentRemittance
from settlement.models.claims import ASKS_NOTHING

SERIES, PREFIX = "claim", "CL"
EVIDENCE = "claim_evidence"
FIX_DAYS = "claim.return_fix_days"
# What a kept version of a line holds, in this order.
VERSION_COLUMNS = (
    *("line", "redemption_code", "certificate_number", "service_code", "service_date", "starts_at", "ends_at"),
    *("worker_code", "units_milli", "unit_rate_e4", "amount_e4"),
)
# A spreadsheet that a provider sends is kept as it came: name, content, content type.
File = tuple[str, bytes, str]


class ClaimEmpty(DomainError):
    """Nothing is claimed."""

    code = "CLAIM_EMPTY"
    message = _("The claim «%(number)s» has no lines. Add the visits of the month, then submit it.")


class NothingToClaim(DomainError):
    """Every confirmed visit of the month is claimed already."""

    code = "NOTHING_TO_CLAIM"
    message = _("There is no confirmed visit of %(period)s that is not claimed yet and has a price in the contract.")


class ForeignContract(DomainError):
    """A claim names a contract of its own provider and organisation."""

    code = "FOREIGN_CONTRACT"
    message = _("The contract «%(number)s» is not one of this provider with this organisation. Choose another one.")


class CorrectionLate(DomainError):
    """The term for correcting a returned claim is over."""

    code = "CORRECTION_LATE"
    message = _(
        "The claim «%(number)s» could be corrected until %(until)s. Withdraw it: its visits can then be claimed anew, "
        "as long as their month can be claimed."
    )


class NotReturnable(DomainError):
    """A reversal, or what a reversal takes back, is not corrected."""

    code = "CLAIM_NOT_RETURNABLE"
    message = _("The claim «%(number)s» takes another one back or is taken back itself: it cannot be corrected.")


class ClawedBack(DomainError):
    """Its money is asked back line by line."""

    code = "CLAIM_CLAWED_BACK"
    message = _("Money of «%(number)s» is asked back by the case %(case)s. Ask the rest back by another case.")


class MadeByOffice(DomainError):
    """A reversal is the office's claim, although it stands among those of the provider."""

    code = "CLAIM_MADE_BY_OFFICE"
    message = _(
        "By the claim «%(number)s» the office takes another one back: you can neither withdraw nor complete it. "
        "You can appeal against what is decided by it."
    )


class NotReversible(DomainError):
    """A claim can be taken back once, and not while it is being paid."""

    code = "CLAIM_NOT_REVERSIBLE"
    message = _(
        "The claim «%(number)s» is «%(status)s» and cannot be reversed. "
        "A claim that is being paid can be reversed when its payment run is over."
    )


@action
def create_claim(
    *,
    organisation: Organisation,
    provider: Provider,
    contract: Contract | None,
    period: date,
    lines: Sequence[LineDraft],
    actor: Actor,
    at: datetime,
    files: Sequence[File] = (),
) -> Claim:
    """A draft of a claim from rows; codes that nobody knows are kept, adjudication judges them.

    ``period``: first day of the month. Raises: ForeignContract. Audit: claim.created.
    """
    claim = new_claim(organisation, provider, contract, period, actor, at)
    _add_lines(claim, lines)
    _attach(claim, files, actor, at)
    record("claim.created", claim, actor=actor, at=at, number=claim.number, lines=len(lines), files=len(files))
    return claim


@action
def create_claim_from_redemptions(
    *, organisation: Organisation, provider: Provider, contract: Contract, period: date, actor: Actor, at: datetime
) -> Claim:
    """A draft of a claim with every confirmed visit of the month that no live claim has yet, at the contract's rate.

    Visits of services that the contract does not price on the day are left out.
    Raises: NothingToClaim, ForeignContract. Audit: claim.created.
    """
    claim = new_claim(organisation, provider, contract, period, actor, at)
    params: dict[str, Any] = {
        "claim": claim.pk,
        "organisation": organisation.pk,
        "provider": provider.pk,
        "contract": contract.pk,
        "first": period,
        "next": add_months(period, 1),
        "zone": organisation.zone,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FROM_REDEMPTIONS, params)
        count = cursor.rowcount
    if not count:
        raise NothingToClaim(period=f"{period:%m.%Y}")
    record("claim.created", claim, actor=actor, at=at, number=claim.number, lines=count)
    return claim


# Ordered by time, so that lines read like a diary; round(units x rate, 2) half up in integers.
_FROM_REDEMPTIONS = f"""
INSERT INTO settlement_claimline (claim_id, line, redemption_code, certificate_number, service_code, service_date,
    starts_at, ends_at, worker_code, units_milli, unit_rate_e4, amount_e4, redemption_id, certificate_id, service_id,
    worker_id)
SELECT %(claim)s, row_number() OVER (ORDER BY r.starts_at, r.code), r.code, r.certificate_number, r.service_code,
    r.day, r.starts_at, r.ends_at, r.worker_code, r.units_milli, p.rate,
    (r.units_milli * p.rate + 50000) / 100000 * 100, r.id, r.certificate_id, r.service_id, r.worker_id
FROM (
    SELECT r.*, (r.starts_at AT TIME ZONE %(zone)s)::date AS day FROM vouchers_redemption r
    WHERE r.organisation_id = %(organisation)s AND r.provider_id = %(provider)s AND r.status = 'confirmed'
      AND r.units_milli > 0
) r
CROSS JOIN LATERAL (
    SELECT (l.unit_rate * 10000)::bigint AS rate
    FROM contracts_contractline l JOIN contracts_contract c ON c.id = l.contract_id
    WHERE c.id = %(contract)s AND l.service_id = r.service_id
      AND COALESCE(l.valid_from, c.valid_from) <= r.day
      AND r.day < COALESCE(l.valid_to, c.valid_to, 'infinity')
    ORDER BY COALESCE(l.valid_from, c.valid_from) DESC, l.valid_from DESC NULLS LAST LIMIT 1
) p
WHERE r.day >= %(first)s AND r.day < %(next)s AND NOT EXISTS (
    SELECT 1 FROM settlement_claimline x JOIN settlement_claim k ON k.id = x.claim_id
    WHERE x.redemption_id = r.id AND NOT {ASKS_NOTHING})
"""

_RESOLVE = """
UPDATE settlement_claimline l SET
    redemption_id = (SELECT r.id FROM vouchers_redemption r WHERE r.organisation_id = k.organisation_id
                     AND r.code = l.redemption_code AND r.code <> ''),
    certificate_id = (SELECT r.id FROM vouchers_certificate r WHERE r.organisation_id = k.organisation_id
                      AND r.number = l.certificate_number),
    service_id = (SELECT r.id FROM contracts_service r WHERE r.organisation_id = k.organisation_id
                  AND r.code = l.service_code),
    worker_id = (SELECT r.id FROM contracts_worker r WHERE r.code = l.worker_code)
FROM settlement_claim k WHERE k.id = l.claim_id AND l.claim_id = %s
"""


@step
def new_claim(
    organisation: Organisation,
    provider: Provider,
    contract: Contract | None,
    period: date,
    actor: Actor,
    at: datetime,
    reverses: Claim | None = None,
) -> Claim:
    if contract and (contract.provider_id, contract.organisation_id) != (provider.pk, organisation.pk):
        raise ForeignContract(number=contract.number)
    return Claim.objects.create(
        organisation=organisation,
        number=document_number(organisation=organisation, kind=SERIES, prefix=PREFIX, year=period.year),
        provider=provider,
        contract=contract,
        contract_number=contract.number if contract else "",
        period=period,
        status="draft",
        status_at=at,
        reverses=reverses,
        recorded_at=at,
    )


@step
def _add_lines(claim: Claim, lines: Sequence[LineDraft]) -> None:
    """Evidence rows in bulk, then their codes resolved in one statement."""
    rows = [
        ClaimLine(
            claim=claim,
            line=number,
            redemption_code=line.redemption_code,
            certificate_number=line.certificate_number,
            service_code=line.service_code,
            service_date=line.service_date,
            starts_at=line.starts_at,
            ends_at=line.ends_at,
            worker_code=line.worker_code,
            units_milli=to_units(line.units),
            unit_rate_e4=to_rate(line.unit_rate),
            amount_e4=int(line.amount_claimed.scaleb(AMOUNT_PLACES_CLAIMED)),
        )
        for number, line in enumerate(lines, 1)
    ]
    ClaimLine.objects.bulk_create(rows, batch_size=5_000)
    with connection.cursor() as cursor:
        cursor.execute(_RESOLVE, [claim.pk])


@step
def _attach(claim: Claim, files: Sequence[File], actor: Actor, at: datetime) -> None:
    for name, content, content_type in files:
        attach(
            organisation=claim.organisation,
            to=claim,
            kind=EVIDENCE,
            name=name,
            content=content,
            content_type=content_type,
            uploaded_by_id=actor.user_id,
            at=at,
        )


def locked_claim(organisation: Organisation, claim_id: int) -> Claim:
    """A claim, locked. Raises: NotFound."""
    rows = lock_rows(Claim.objects.filter(pk=claim_id, organisation=organisation))
    if not rows:
        raise NotFound()
    return rows[0]


@action
def submit_claim(*, organisation: Organisation, claim_id: int, actor: Actor, at: datetime) -> Claim:
    """Hand a draft or a returned claim in; from now on its lines cannot change.

    Raises: NotFound, ClaimEmpty, CorrectionLate, InvalidMove. Locks: claim. Audit: claim.submitted.
    """
    claim = locked_claim(organisation, claim_id)
    if not claim.lines.exists():
        raise ClaimEmpty(number=claim.number)
    _refuse_late_correction(claim, at)
    hand_in(claim, submitted_at=at, submitted_by_id=actor.user_id, at=at)
    record("claim.submitted", claim, actor=actor, at=at, number=claim.number)
    return claim


@step
def hand_in(claim: Claim, *, submitted_at: datetime, submitted_by_id: int | None, at: datetime) -> None:
    """Move a draft or a returned claim to submitted. ``submitted_at``: the moment that counts for its terms."""
    claim.submitted_at, claim.submitted_by_id = submitted_at, submitted_by_id
    claim.save(update_fields=["submitted_at", "submitted_by"])
    claim.move_to("submitted", at=at)


def _refuse_late_correction(claim: Claim, at: datetime) -> None:
    if claim.status != "returned":
        return
    last = claim.returns.order_by("-version").first()
    if last and local_date(at, claim.organisation.zone) > last.correct_by:
        raise CorrectionLate(number=claim.number, until=last.correct_by)


@action
def withdraw_claim(*, organisation: Organisation, claim_id: int, reason: str, actor: Actor, at: datetime) -> Claim:
    """The provider takes a claim of its own back before it is judged.

    Raises: NotFound, MadeByOffice, InvalidMove. Audit: claim.withdrawn.
    """
    claim = locked_claim(organisation, claim_id)
    _refuse_of_office(claim)
    claim.move_to("withdrawn", at=at)
    record("claim.withdrawn", claim, actor=actor, at=at, number=claim.number, reason=reason)
    return claim


def _refuse_of_office(claim: Claim) -> None:
    if claim.reverses_id:
        raise MadeByOffice(number=claim.number)


@action
def return_claim(*, organisation: Organisation, claim_id: int, reason: str, actor: Actor, at: datetime) -> Claim:
    """The office sends a claim back for correction; the version that came is kept, whatever replaces its lines.

    Time: to be corrected within ``claim.return_fix_days`` working days.
    Raises: NotFound, NotReturnable, InvalidMove. Locks: claim. Audit: claim.returned.
    """
    claim = locked_claim(organisation, claim_id)
    if claim.reverses_id or claim.reversals_in_force().exists():
        raise NotReturnable(number=claim.number)
    claim.move_to("returned", at=at)
    returned = _keep_version(claim, reason, actor, at)
    told = {"number": claim.number, "reason": reason, "correct_by": returned.correct_by.isoformat()}
    tell_provider(claim, "claim.returned", told, at=at)
    record("claim.returned", claim, actor=actor, at=at, version=returned.version, **told)
    return claim


@step
def _keep_version(claim: Claim, reason: str, actor: Actor, at: datetime) -> ClaimReturn:
    lines = list(claim.lines.order_by("line").values_list(*VERSION_COLUMNS))
    return ClaimReturn.objects.create(
        claim=claim,
        version=claim.returns.count() + 1,
        submitted_at=claim.submitted_at,
        reason=reason,
        correct_by=term_ends(claim.organisation, FIX_DAYS, at),
        lines=json.loads(json.dumps(lines, default=str)),
        returned_by_id=actor.user_id,
        recorded_at=at,
    )


@action
def replace_claim_lines(
    *,
    organisation: Organisation,
    claim_id: int,
    lines: Sequence[LineDraft],
    actor: Actor,
    at: datetime,
    files: Sequence[File] = (),
) -> Claim:
    """Corrected rows for a draft or a returned claim; the database refuses it for any other.

    Raises: NotFound, InvalidMove. Audit: claim.corrected.
    """
    claim = locked_claim(organisation, claim_id)
    if claim.status not in ("draft", "returned"):
        raise InvalidMove(status=claim.status, target="draft")
    before = claim.lines.count()
    claim.lines.all().delete()
    _add_lines(claim, lines)
    _attach(claim, files, actor, at)
    record("claim.corrected", claim, actor=actor, at=at, number=claim.number, before=before, lines=len(lines))
    return claim


@action
def reverse_claim(*, organisation: Organisation, claim_id: int, reason: str, actor: Actor, at: datetime) -> Claim:
    """Take an adjudicated claim back: a submitted claim without lines, which the next run of the month plays.

    Raises: NotFound, NotReversible, ClawedBack. Locks: claim. Audit: claim.reversal_submitted.
    """
    claim = locked_claim(organisation, claim_id)
    reversing = take_back(claim, actor=actor, at=at)
    record("claim.reversal_submitted", reversing, claim, actor=actor, at=at, number=reversing.number, reason=reason)
    return reversing


def why_not_taken_back(claim: Claim) -> DomainError | None:
    """What stands against taking a claim back: NotReversible, ClawedBack."""
    never_judged = claim.status == "rejected" and claim.run is None
    judged = claim.status in ("adjudicated", "disputed", "paid", "rejected") and not never_judged
    if not judged or claim.reverses_id or claim.reversals_in_force().exists() or _on_its_way(claim):
        return NotReversible(number=claim.number, status=claim.status)
    asked_back = ClawbackLine.objects.filter(claim_line__claim=claim).exclude(upheld_minor=0).select_related("case")
    row = asked_back.first()
    return ClawedBack(number=claim.number, case=row.case.number) if row else None


def _on_its_way(claim: Claim) -> bool:
    """Whether a payment run holds money of the claim that the bank has not confirmed: also of a disputed one."""
    items = PaymentRemittance.objects.filter(remittance__claim=claim, live=True)
    return items.exclude(payment__status="confirmed").exists()


@step
def take_back(claim: Claim, *, actor: Actor, at: datetime) -> Claim:
    """The reversing claim of a locked claim. Raises: NotReversible, ClawedBack."""
    if (refusal := why_not_taken_back(claim)) is not None:
        raise refusal
    reversing = new_claim(claim.organisation, claim.provider, claim.contract, claim.period, actor, at, reverses=claim)
    hand_in(reversing, submitted_at=at, submitted_by_id=actor.user_id, at=at)
    return reversing


class EvidenceClosed(DomainError):
    """What was decided rests on what was there."""

    code = "EVIDENCE_CLOSED"
    message = _("The claim «%(number)s» is decided. Attach new evidence to an appeal against the decision.")


@action
def add_evidence(*, organisation: Organisation, claim_id: int, file: File, actor: Actor, at: datetime) -> Claim:
    """Put one more file beside a claim that is not judged yet.

    Raises: NotFound, MadeByOffice, EvidenceClosed. Locks: claim. Audit: claim.evidence_added.
    """
    claim = locked_claim(organisation, claim_id)
    _refuse_of_office(claim)
    if claim.status not in ("draft", "submitted", "returned"):
        raise EvidenceClosed(number=claim.number)
    _attach(claim, [file], actor, at)
    record("claim.evidence_added", claim, actor=actor, at=at, number=claim.number, file=file[0])
    return claim
