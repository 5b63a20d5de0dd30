"""Corrections of closed months: one person prepares, another approves exactly what was seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.clock import local_date
from config.errors import DomainError, FourEyes, NotFound
from config.law_words import parameter_named
from config.locks import lock_rows
from config.office.messages import tell
from config.office.numbering import document_number
from config.transactions import nothing_kept, step
from contracts.actions.check_facts import refuse_related
from settlement.actions.adjudication import take_turns
from settlement.actions.claim_notices import tell_provider
from settlement.actions.clearing_items import follow_issuers_in_month
from settlement.actions.correction_play import Outcome, lock_claims, play, rising_fees
from settlement.actions.runs import person
from settlement.correction_queries import (
    CLOSED_YEAR,
    FEE_INCREASE,
    FEE_RISES,
    differing_claims,
    disputable_until,
    in_words,
    is_allowed,
    is_closed_year,
    later_claims,
    obstacles,
)
from settlement.models import Claim, ClosedMonth, Correction, CorrectionClaim, CorrectionLine
from settlement.run_queries import end_of, next_run

SERIES, PREFIX = "correction", "CO"


class MonthStillOpen(DomainError):
    """An ordinary run does it."""

    code = "CORRECTION_MONTH_OPEN"
    message = _(
        "%(month)s is not closed. In an open month take the claim back or judge it again; no correction is due."
    )


class MonthWaits(DomainError):
    """What waits comes first."""

    code = "CORRECTION_MONTH_WAITS"
    message = _("Claims or lifted lines of %(month)s wait for adjudication. Run it first, then correct the month.")


class ClosedYear(DomainError):
    """The year is closed."""

    code = "CORRECTION_CLOSED_YEAR"
    message = _(
        "%(month)s belongs to a closed year, and the parameter «%(parameter)s» does not allow its correction. What is "
        "owed is claimed or returned by a document of this year."
    )


class NothingToCorrect(DomainError):
    """Facts of today give the same decisions."""

    code = "NOTHING_TO_CORRECT"
    message = _(
        "By what is known today every line of %(month)s is decided as it was. Enter the changed fact first (income, "
        "norm, absence), then prepare the correction."
    )


class NothingFree(DomainError):
    """Every claim that would change is left out."""

    code = "CORRECTION_NOTHING_FREE"
    message = _("Nothing of %(month)s can be corrected now: %(claims)s. Settle this first, then prepare it again.")


class CorrectionWaits(DomainError):
    """One correction of a month at a time."""

    code = "CORRECTION_WAITS"
    message = _("The correction %(number)s of this month waits for approval. Have it approved or give it up first.")


class CorrectionChanged(DomainError):
    """What would be posted is not what was seen."""

    code = "CORRECTION_CHANGED"
    message = _(
        "Something changed since the correction %(number)s was prepared: it would post other sums than were seen. Give "
        "it up and prepare it again."
    )


class ClaimsBlocked(CorrectionChanged):
    """What leaves a claim out when a correction is prepared stops it when it is approved."""

    message = _(
        "Since the correction %(number)s was prepared something came in between: %(claims)s. Settle this first, or "
        "give the correction up and prepare it again."
    )


@dataclass
class _Preview:
    """What a correction would do, and the claims that it leaves out with the reason."""

    outcome: Outcome | None
    left_out: list[dict[str, Any]] = field(default_factory=list)


@action
def propose_correction(
    *, organisation: Organisation, month: date, ground: str, reason: str, actor: Actor, at: datetime
) -> Correction:
    """Keep what the facts known now make of a closed month, line by line; nothing is posted.

    What issuers of foreign certificates learnt since is learnt first. Claims that are being paid, disputed or held are
    left out, and so are those in which a recipient's fee would rise unless the parameter allows it. Idempotent:
    prepared twice alike, it is the same document.
    Raises: MonthStillOpen, ClosedYear, MonthWaits, NothingToCorrect, NothingFree, CorrectionWaits.
    Locks: an advisory lock of the organisation, recipients of foreign certificates, budget lines, certificates,
    claims. Audit: correction.proposed.
    Source: FEE-UA-1, SET-3.
    """
    month = month.replace(day=1)
    take_turns(organisation)
    _refuse_month(organisation, month, at)
    follow_issuers_in_month(organisation, month, at=at)
    preview = _preview(organisation, month, actor, at)
    found = Correction.objects.filter(organisation=organisation, month=month, status="proposed").first()
    if preview.outcome is None:
        raise _nothing(month, preview)
    content = _content(preview)
    if found is not None:
        if found.content_sha256 != preview.outcome.digest or found.plan != content:
            raise CorrectionWaits(number=found.number)
        nothing_to_record()
        return found
    correction = _keep(organisation, month, ground, reason.strip(), preview.outcome, content, actor, at)
    record(
        "correction.proposed",
        correction,
        actor=actor,
        at=at,
        number=correction.number,
        month=f"{month:%Y-%m}",
        reason=correction.reason,
        lines=len(preview.outcome.lines),
        payable_minor=correction.payable_minor,
        content_sha256=correction.content_sha256,
        left_out=list(dict.fromkeys(row["claim"] for row in preview.left_out)),
    )
    return correction


def _refuse_month(organisation: Organisation, month: date, at: datetime) -> None:
    name = f"{month:%m.%Y}"
    if not ClosedMonth.objects.filter(organisation=organisation, month=month).exists():
        raise MonthStillOpen(month=name)
    today = local_date(at, organisation.zone)
    if is_closed_year(organisation, month) and not is_allowed(organisation, CLOSED_YEAR, today):
        raise ClosedYear(month=name, parameter=parameter_named(CLOSED_YEAR))
    if next_run(organisation, month, end_of(today, organisation)) is not None:
        raise MonthWaits(month=name)


def _nothing(month: date, preview: _Preview) -> DomainError:
    name = f"{month:%m.%Y}"
    if not preview.left_out:
        return NothingToCorrect(month=name)
    return NothingFree(month=name, claims=_told(preview.left_out))


def _told(left_out: Iterable[dict[str, Any]]) -> str:
    """Each claim once, with everything that keeps it."""
    return ", ".join(f"{row['claim']} ({row['words']})" for row in in_words(left_out))


@step
def _preview(organisation: Organisation, month: date, actor: Actor, at: datetime) -> _Preview:
    """Play the correction and keep nothing of it; claims of later runs that it leaves more or less are drawn in, claims
    that do not change or may not are taken out, then again.
    """
    today = local_date(at, organisation.zone)
    differing = differing_claims(organisation, month, at)
    why = obstacles(organisation, differing, today)
    left = [_left(claim, reason) for claim in differing for reason in why.get(claim.pk, ())]
    preview = _Preview(None, left)
    claims = {claim.pk: claim for claim in differing if claim.pk not in why}
    may_rise = is_allowed(organisation, FEE_INCREASE, today)
    settled: set[int] = {row["id"] for row in preview.left_out}
    while claims:
        later = _free(organisation, later_claims(organisation, month, claims.values()), settled, today)
        with nothing_kept():
            outcome = play(organisation, month, sorted(claims), actor=actor, at=at)
            drawn = _drawn_in(organisation, month, later, actor, at)
        if drawn:
            claims |= drawn
            continue
        rising = set() if may_rise else _claims_of(outcome, rising_fees(outcome.lines))
        preview.left_out += [_left(claims[pk], FEE_RISES) for pk in sorted(rising)]
        changed = {line.claim_id for line in outcome.lines} - rising
        if changed == set(claims):
            preview.outcome = outcome
            break
        settled |= set(claims) - changed
        claims = {pk: claim for pk, claim in claims.items() if pk in changed}
    return preview


def _free(
    organisation: Organisation, batches: Iterable[Iterable[Claim]], settled: set[int], today: date
) -> list[dict[int, Claim]]:
    """Of each run the claims that nothing was decided about yet and that can be corrected."""
    open_ = [{row.pk: row for row in batch if row.pk not in settled} for batch in batches]
    why = obstacles(organisation, (row for batch in open_ for row in batch.values()), today)
    return [{pk: row for pk, row in batch.items() if pk not in why} for batch in open_]


@step
def _drawn_in(
    organisation: Organisation, month: date, later: Iterable[dict[int, Claim]], actor: Actor, at: datetime
) -> dict[int, Claim]:
    """Claims of later runs that would be decided otherwise once a correction stands; run by run, so that claims judged
    one after another are so again.
    """
    found: dict[int, Claim] = {}
    for batch in later:
        outcome = play(organisation, month, sorted(batch), actor=actor, at=at) if batch else None
        found |= {line.claim_id: batch[line.claim_id] for line in (outcome.lines if outcome else ())}
    return found


def _claims_of(outcome: Outcome, recipients: Iterable[int]) -> set[int]:
    named = set(recipients)
    return {line.claim_id for line in outcome.lines if line.recipient_id in named}


def _left(claim: Claim, why: str) -> dict[str, Any]:
    return {"id": claim.pk, "claim": claim.number, "reason": why}


def _content(preview: _Preview) -> dict[str, Any]:
    plan = preview.outcome.plan if preview.outcome else {}
    return plan | {"left_out": preview.left_out}


@step
def _keep(
    organisation: Organisation,
    month: date,
    ground: str,
    reason: str,
    outcome: Outcome,
    content: dict[str, Any],
    actor: Actor,
    at: datetime,
) -> Correction:
    correction = Correction.objects.create(
        organisation=organisation,
        number=document_number(
            organisation=organisation, kind=SERIES, prefix=PREFIX, year=local_date(at, organisation.zone).year
        ),
        month=month,
        ground=ground,
        reason=reason,
        plan=content,
        content_sha256=outcome.digest,
        gross_minor=outcome.total("gross"),
        fee_minor=outcome.total("fee"),
        payable_minor=outcome.total("payable"),
        known_at=at,
        proposed_by_id=person(actor),
        proposed_at=at,
        status="proposed",
        status_at=at,
    )
    rows = [{name: value for name, value in asdict(line).items() if name != "claim_id"} for line in outcome.lines]
    CorrectionLine.objects.bulk_create([CorrectionLine(correction=correction, **row) for row in rows], batch_size=2_000)
    return correction


@action
def approve_correction(
    *, organisation: Organisation, correction_id: int, content_sha256: str, actor: Actor, at: datetime
) -> Correction:
    """Post what was prepared and seen: old decisions are taken back, the new ones made, in the open month.

    Providers and recipients with an account are told. Idempotent: approved again, it changes nothing.
    Raises: NotFound, FourEyes for who prepared it, RelatedPerson, CorrectionChanged, ClaimsBlocked, MonthWaits,
    ClosedYear, InvalidMove, NotReversible, IntoClosedMonth.
    Locks: an advisory lock of the organisation, the correction, budget lines, certificates, claims.
    Posts: claim.reversed, claim.adjudicated, fee.noticed, fee.lowered. Audit: correction.approved.
    """
    take_turns(organisation)
    correction = _locked(organisation, correction_id)
    if correction.status == "approved":
        nothing_to_record()
        return correction
    correction.check_move("approved")
    if correction.proposed_by_id == person(actor):
        raise FourEyes()
    _refuse_month(organisation, correction.month, at)
    providers = set(correction.lines.values_list("provider_id", flat=True))
    refuse_related(organisation=organisation, actor=actor, providers=providers, at=at)
    claims = {claim.pk: claim for claim in lock_claims(organisation, _claims_in(correction))}
    today = local_date(at, organisation.zone)
    _refuse_blocked(correction, claims, obstacles(organisation, claims.values(), today))
    outcome = play(organisation, correction.month, sorted(claims), actor=actor, at=at)
    if not is_allowed(organisation, FEE_INCREASE, today):
        rising = _claims_of(outcome, rising_fees(outcome.lines))
        _refuse_blocked(correction, claims, {pk: [FEE_RISES] for pk in sorted(rising)})
    if not content_sha256 == correction.content_sha256 == outcome.digest:
        raise CorrectionChanged(number=correction.number)
    correction.approved_by_id, correction.run = actor.user_id, outcome.run
    correction.save(update_fields=["approved_by", "run"])
    correction.move_to("approved", at=at)
    CorrectionClaim.objects.bulk_create(
        CorrectionClaim(correction=correction, claim=row.claim, reversal=row.reversal, new_claim=row.new_claim)
        for row in outcome.retaken
    )
    _tell(correction, outcome, at)
    record(
        "correction.approved",
        correction,
        outcome.run,
        actor=actor,
        at=at,
        labels=outcome.labels,
        number=correction.number,
        month=f"{correction.month:%Y-%m}",
        run=str(outcome.run),
        payable_minor=correction.payable_minor,
        content_sha256=correction.content_sha256,
        digest=outcome.run.digest,
        overspent=outcome.plan["overspent"],
    )
    return correction


def _claims_in(correction: Correction) -> list[int]:
    return list(correction.lines.order_by().values_list("claim_line__claim", flat=True).distinct())


def _refuse_blocked(correction: Correction, claims: dict[int, Claim], why: dict[int, list[str]]) -> None:
    if why:
        left = (_left(claims[pk], reason) for pk, reasons in why.items() for reason in reasons)
        raise ClaimsBlocked(number=correction.number, claims=_told(left))


@step
def _tell(correction: Correction, outcome: Outcome, at: datetime) -> None:
    told = {"number": correction.number, "until": disputable_until(correction).isoformat()}
    for row in outcome.retaken:
        tell_provider(row.new_claim, "correction.approved", told | {"claim": row.new_claim.number}, at=at)
    recipients = {line.recipient_id for line in outcome.lines}
    people = User.objects.filter(recipient__in=recipients, is_active=True).order_by("pk")
    tell(people, correction.organisation_id, correction, "correction.approved", told, at=at)


@action
def cancel_correction(
    *, organisation: Organisation, correction_id: int, reason: str, actor: Actor, at: datetime
) -> Correction:
    """Give up a correction that is not approved. Raises: NotFound, InvalidMove. Audit: correction.cancelled."""
    correction = _locked(organisation, correction_id)
    correction.move_to("cancelled", at=at)
    record("correction.cancelled", correction, actor=actor, at=at, number=correction.number, reason=reason)
    return correction


def _locked(organisation: Organisation, correction_id: int) -> Correction:
    rows = lock_rows(Correction.objects.filter(organisation=organisation, pk=correction_id))
    if not rows:
        raise NotFound()
    return rows[0]
