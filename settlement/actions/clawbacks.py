"""Clawback cases: opened and told by one person, answered by the provider, decided by another person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, QuerySet
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError, FourEyes, NotFound
from config.locks import lock_rows
from config.money import from_minor
from config.office.numbering import document_number
from config.office.storage import attach
from config.states import InvalidMove
from config.transactions import step
from contracts.actions.check_facts import refuse_related
from contracts.models import Provider
from contracts.queries import term_ends
from settlement.actions.claim_notices import tell_deciders, tell_provider
from settlement.actions.claims import File
from settlement.actions.clawback_postings import post_debt, post_decision
from settlement.actions.run_content import waiting_remittances
from settlement.actions.runs import person
from settlement.clawback_queries import REPLY_DAYS, RETURN_DAYS, claimable, earliest_day, passed
from settlement.debt_queries import debt_of
from settlement.gateways.identifiers import creditor_reference
from settlement.models import Claim, ClaimLine, ClawbackCase, ClawbackDebt, ClawbackLine, ClawbackReply, Remittance
from settlement.rules.clawback import DROPPED, outcome_of

EVIDENCE = "clawback_evidence"
# The decision is made line by line on one page.
LINES_MAX = 200


class NothingToClaimBack(DomainError):
    """No line is named."""

    code = "CLAWBACK_EMPTY"
    message = _(
        "Nothing of these lines can be asked back: nothing was paid for them, or all of it is asked back already."
    )
    http_status = 400


class TooManyLines(DomainError):
    """A case is decided line by line."""

    code = "CLAWBACK_TOO_MANY_LINES"
    message = _("A case holds %(most)s lines at most. Open another one for the rest.")


class NoSuchLines(DomainError):
    """Numbers that no line of the claim has."""

    code = "CLAWBACK_NO_SUCH_LINES"
    message = _("The claim «%(number)s» has no lines %(lines)s. Take the numbers from the table below.")


class MixedLines(DomainError):
    """Lines of several providers or contracts."""

    code = "CLAWBACK_MIXED"
    message = _("A case is about one provider and one contract. The claim «%(number)s» is of another one.")


class LineTooOld(DomainError):
    """Older than the look-back."""

    code = "CLAWBACK_TOO_OLD"
    message = _(
        "Line %(line)s of «%(number)s» is of %(day)s. Money is asked back only for services from %(earliest)s on."
    )


class MoreThanPaid(DomainError):
    """More than what was paid and not asked back yet."""

    code = "CLAWBACK_MORE_THAN_PAID"
    message = _("Of line %(line)s of «%(number)s» at most %(left)s can be asked back: that much was paid and is left.")


class BeingTakenBack(DomainError):
    """A reversal takes the whole claim back."""

    code = "CLAWBACK_OF_REVERSED"
    message = _("The claim «%(number)s» is taken back as a whole. Nothing more can be asked back of it.")


class TermRuns(DomainError):
    """The provider may still reply."""

    code = "CLAWBACK_TERM_RUNS"
    message = _("The provider can reply until %(until)s. Decide after that, or when the reply is there.")


class ReplyLate(DomainError):
    """The term for a reply is over."""

    code = "CLAWBACK_REPLY_LATE"
    message = _("A reply was possible until %(until)s.")


class MoreThanAsked(DomainError):
    """A decision beyond what was asked back."""

    code = "CLAWBACK_MORE_THAN_ASKED"
    message = _("No more can be upheld of a line than was asked back: %(asked)s.")
    http_status = 400


class NoDebt(DomainError):
    """Nothing is owed of the month that no payment or case has taken."""

    code = "CLAWBACK_NO_DEBT"
    message = _(
        "%(provider)s owes nothing of %(month)s that could be asked back: a payment has taken it off, or a case asks "
        "for it already."
    )


class DebtWaits(DomainError):
    """Money of the month that somebody holds, or that was judged too recently, is settled by nobody."""

    code = "CLAWBACK_DEBT_WAITS"
    message = _(
        "Payment of the claim %(claim)s of this month is held, or its days of grace are not over. Have the hold lifted "
        "by another person, or wait: the month is asked back as a whole."
    )


@dataclass(frozen=True)
class LineSum:
    """What is asked back of a claim line, minor units; None: all that can be."""

    claim_line_id: int
    amount_minor: int | None = None


@action
def open_clawback(
    *,
    organisation: Organisation,
    lines: Sequence[LineSum],
    found_by: str,
    finding: str,
    ground: str,
    actor: Actor,
    at: datetime,
) -> ClawbackCase:
    """Open a case about lines of claims of one provider under one contract. Nobody is told yet.

    Time: services from ``clawback.look_back`` years before today on.
    Raises: NotFound, NothingToClaimBack, TooManyLines, MixedLines, LineTooOld, MoreThanPaid, BeingTakenBack,
    RelatedPerson, ParameterMissing. Locks: claims. Audit: clawback.opened.
    """
    rows = _locked_lines(organisation, [line.claim_line_id for line in lines])
    claim = rows[0].claim
    refuse_related(organisation=organisation, actor=actor, providers=[claim.provider_id], at=at)
    case = _open(
        organisation,
        actor,
        at,
        provider=claim.provider,
        contract=claim.contract,
        contract_number=claim.contract_number,
        found_by=found_by,
        finding=finding,
        ground=ground,
        look_back_from=earliest_day(organisation, local_date(at, organisation.zone)),
    )
    asked = _add(case, rows, lines)
    record(
        "clawback.opened", case, *_claims(rows), actor=actor, at=at, number=case.number, amount_minor=asked,
        lines=len(rows), reason=finding,
    )  # fmt: skip
    return case


@step
def _open(organisation: Organisation, actor: Actor, at: datetime, **told: Any) -> ClawbackCase:
    """A new case with the next number and its reference."""
    year = local_date(at, organisation.zone).year
    number = document_number(organisation=organisation, kind="clawback", prefix="CB", year=year)
    return ClawbackCase.objects.create(
        organisation=organisation,
        number=number,
        rf_reference=creditor_reference(number.replace("-", "")),
        opened_by_id=person(actor),
        opened_at=at,
        status="found",
        status_at=at,
        **told,
    )


@action
def ask_debt_back(
    *,
    organisation: Organisation,
    provider_id: int,
    period: date,
    finding: str,
    ground: str,
    actor: Actor,
    at: datetime,
) -> ClawbackCase:
    """Open a case about what a provider owes of a paid month that was corrected: all of it, and as for a payment run
    nothing of it held or within its days of grace.

    From now on no payment takes it off; when another person has decided, the provider returns it or the next runs keep
    it back. Nobody is told yet.
    Raises: NotFound, NoDebt, DebtWaits, RelatedPerson. Locks: claims. Audit: clawback.opened.
    """
    judged = Remittance.objects.filter(run__organisation=organisation, provider=provider_id)
    provider = Provider.objects.filter(Exists(judged), pk=provider_id).first()
    if provider is None:
        raise NotFound()
    refuse_related(organisation=organisation, actor=actor, providers=[provider.pk], at=at)
    rows = _locked_debt(organisation, provider, period)
    owed = -sum(row.payable for row in rows)
    if owed <= 0:
        raise NoDebt(provider=provider.name, month=f"{period:%m.%Y}")
    _refuse_waiting(organisation, debt_of(organisation, provider.pk, period), at)
    case = _open(
        organisation,
        actor,
        at,
        provider=provider,
        found_by="correction",
        finding=finding,
        ground=ground,
        look_back_from=period,
        debt_period=period,
        debt_minor=owed,
    )
    ClawbackDebt.objects.bulk_create(ClawbackDebt(case=case, remittance=row, amount_minor=-row.payable) for row in rows)
    record(
        "clawback.opened", case, *_claims(rows), actor=actor, at=at, number=case.number, amount_minor=owed,
        period=period.isoformat(), reason=finding,
    )  # fmt: skip
    return case


def _refuse_waiting(organisation: Organisation, rows: QuerySet[Remittance], at: datetime) -> None:
    """Raises: DebtWaits. What waits for a payment run waits for a case too, which would settle it without its steps."""
    row = waiting_remittances(rows, organisation, local_date(at, organisation.zone)).first()
    if row is not None:
        raise DebtWaits(claim=row.claim.number)


@step
def _locked_debt(organisation: Organisation, provider: Provider, period: date) -> list[Remittance]:
    """What is unpaid of a provider's month once nobody can change it: read again under the locks of its claims."""
    lock_rows(Claim.objects.filter(pk__in=debt_of(organisation, provider.pk, period).values("claim")))
    return list(debt_of(organisation, provider.pk, period))


@action
def add_clawback_lines(
    *, organisation: Organisation, case_id: int, lines: Sequence[LineSum], actor: Actor, at: datetime
) -> ClawbackCase:
    """Rest a case that nobody was told of on more lines. Raises: as opening, InvalidMove. Locks: case, claims.
    Audit: clawback.extended.
    """
    case = locked_case(organisation, case_id)
    case.check_move("notified")
    rows = _locked_lines(organisation, [line.claim_line_id for line in lines])
    refuse_related(organisation=organisation, actor=actor, providers=[case.provider_id], at=at)
    asked = _add(case, rows, lines)
    record(
        "clawback.extended", case, *_claims(rows), actor=actor, at=at, number=case.number, amount_minor=asked,
        lines=len(rows),
    )  # fmt: skip
    return case


def locked_case(organisation: Organisation, case_id: int) -> ClawbackCase:
    """A case, locked. Raises: NotFound."""
    rows = lock_rows(ClawbackCase.objects.filter(pk=case_id, organisation=organisation))
    if not rows:
        raise NotFound()
    return rows[0]


def _locked_lines(organisation: Organisation, keys: Sequence[int]) -> list[ClaimLine]:
    """The lines, their claims locked. Raises: NothingToClaimBack, NotFound."""
    if not keys:
        raise NothingToClaimBack()
    found = ClaimLine.objects.filter(pk__in=keys, claim__organisation=organisation)
    lock_rows(Claim.objects.filter(pk__in=found.values("claim")))
    rows = list(found.select_related("claim__provider", "claim__contract").order_by("claim__number", "line"))
    if len(rows) != len(set(keys)) or len(rows) != len(keys):
        raise NotFound()
    return rows


def _claims(rows: Sequence[ClaimLine | Remittance]) -> list[Claim]:
    return list({row.claim_id: row.claim for row in rows}.values())


@step
def _add(case: ClawbackCase, rows: Sequence[ClaimLine], lines: Sequence[LineSum]) -> int:
    """Check and write the lines; returns what they ask back, minor units."""
    if case.lines.count() + len(rows) > LINES_MAX:
        raise TooManyLines(most=LINES_MAX)
    for claim in _claims(rows):
        _check_claim(case, claim)
    wanted = {line.claim_line_id: line.amount_minor for line in lines}
    _refuse_again(case, rows)
    left = claimable(wanted)
    sums = {row.pk: _sum_of(case, row, left[row.pk].left, wanted[row.pk]) for row in rows}
    made = [ClawbackLine(case=case, claim_line=row, amount_minor=sums[row.pk]) for row in rows if sums[row.pk]]
    if not made:
        raise NothingToClaimBack()
    ClawbackLine.objects.bulk_create(made)
    return sum(row.amount_minor for row in made)


def _check_claim(case: ClawbackCase, claim: Claim) -> None:
    other = (claim.provider_id, claim.contract_number) != (case.provider_id, case.contract_number)
    if other or case.debt_minor:
        raise MixedLines(number=claim.number)
    if claim.reversals_in_force().exists():
        raise BeingTakenBack(number=claim.number)


def _refuse_again(case: ClawbackCase, rows: Sequence[ClaimLine]) -> None:
    """A line stands once in a case, with all that is asked back of it."""
    named = set(case.lines.filter(claim_line__in=rows).values_list("claim_line", flat=True))
    for row in rows:
        if row.pk in named:
            raise MoreThanPaid(line=row.line, number=row.claim.number, left=from_minor(0))


def _sum_of(case: ClawbackCase, row: ClaimLine, left: int, wanted: int | None) -> int:
    """What is asked back of a line; 0 where nothing is left and everything was asked for."""
    if row.service_date < case.look_back_from:
        earliest = f"{case.look_back_from:%d.%m.%Y}"
        day = f"{row.service_date:%d.%m.%Y}"
        raise LineTooOld(line=row.line, number=row.claim.number, day=day, earliest=earliest)
    if wanted is not None and not 0 < wanted <= left:
        raise MoreThanPaid(line=row.line, number=row.claim.number, left=from_minor(left))
    return left if wanted is None else wanted


@action
def notify_clawback(*, organisation: Organisation, case_id: int, actor: Actor, at: datetime) -> ClawbackCase:
    """Tell the provider what is asked back and why; its term for a reply begins.

    Time: ``clawback.reply_days`` working days. Raises: NotFound, InvalidMove, ParameterMissing. Locks: case.
    Audit: clawback.notified.
    """
    case = locked_case(organisation, case_id)
    case.check_move("notified")
    case.notified_by_id, case.notified_at = person(actor), at
    case.reply_until = term_ends(organisation, REPLY_DAYS, at)
    _save(case, "notified", at, "notified_by", "notified_at", "reply_until")
    told: dict[str, Any] = {"number": case.number, "amount_minor": _asked(case)}
    told["reply_until"] = case.reply_until.isoformat()
    tell_provider(case, "clawback.notified", told, at=at)
    record("clawback.notified", case, actor=actor, at=at, **told)
    return case


def _asked(case: ClawbackCase) -> int:
    return case.debt_minor + sum(case.lines.values_list("amount_minor", flat=True))


@step
def _save(case: ClawbackCase, status: str, at: datetime, *names: str) -> None:
    """Move a case together with what the step says: the database weighs them together. Raises: InvalidMove."""
    case.check_move(status)
    case.status, case.status_at = status, at
    case.save(update_fields=["status", "status_at", *names])


@action
def reply_to_clawback(
    *, organisation: Organisation, case_id: int, text: str, actor: Actor, at: datetime, files: Sequence[File] = ()
) -> ClawbackReply:
    """The provider answers the notice, once, within its term. Raises: NotFound, ReplyLate, InvalidMove. Locks: case.
    Audit: clawback.replied.
    """
    case = locked_case(organisation, case_id)
    case.check_move("replied")
    if passed(case, local_date(at, organisation.zone)):
        raise ReplyLate(until=f"{case.reply_until:%d.%m.%Y}")
    reply = ClawbackReply.objects.create(case=case, text=text, submitted_by_id=person(actor), recorded_at=at)
    for name, content, kind in files:
        attach(
            organisation=organisation, to=reply, kind=EVIDENCE, name=name, content=content, content_type=kind,
            uploaded_by_id=actor.user_id, at=at,
        )  # fmt: skip
    case.move_to("replied", at=at)
    tell_deciders(case, "clawbacks.decide", "clawback.replied", {"number": case.number}, at=at)
    record("clawback.replied", case, reply, actor=actor, at=at, number=case.number, reason=text, files=len(files))
    return reply


@action
def decide_clawback(
    *,
    organisation: Organisation,
    case_id: int,
    reason: str,
    upheld_minor: Mapping[int, int] | None = None,
    actor: Actor,
    at: datetime,
) -> ClawbackCase:
    """Uphold a case in whole, in part (``upheld_minor``: sums by line of the case, 0 for the others), or drop it.

    Dropping needs no reply; it closes the case. What is upheld is owed from now on and has to be returned within
    ``clawback.return_days`` working days. The debt of a month is upheld whole or dropped, and needs no reply: who
    disagrees has appealed against the decisions that made it.
    Raises: NotFound, FourEyes, RelatedPerson, TermRuns, MoreThanAsked, DebtWaits, InvalidMove, IntoClosedMonth.
    Locks: case, budget lines or claims. Posts: clawback.decided, clawback.taken_over. Audit: clawback.decided.
    """
    case = locked_case(organisation, case_id)
    if person(actor) == case.opened_by_id:
        raise FourEyes()
    refuse_related(organisation=organisation, actor=actor, providers=[case.provider_id], at=at)
    sums = _upheld(case, upheld_minor)
    debt = case.debt_minor if upheld_minor is None else 0
    outcome = outcome_of([(case.debt_minor, debt), *((line.amount_minor, upheld) for line, upheld in sums.items())])
    target = "closed" if outcome == DROPPED else "decided"
    _check_ready(case, target, at)
    for line, upheld in sums.items():
        line.upheld_minor = upheld
    ClawbackLine.objects.bulk_update(sums, ["upheld_minor"])
    _write_decision(case, outcome, target, reason, actor, at)
    if debt:
        _refuse_waiting(organisation, Remittance.objects.filter(debts__case=case), at)
    if outcome != DROPPED:
        (post_debt if debt else post_decision)(case, actor=actor, at=at)
    told: dict[str, Any] = {"number": case.number, "amount_minor": debt + sum(sums.values())}
    told |= {"outcome": outcome, "reason": reason}
    until = {"return_until": case.return_until.isoformat()} if case.return_until else {}
    if case.notified_at:
        tell_provider(case, "clawback.decided", told | until, at=at)
    record("clawback.decided", case, actor=actor, at=at, **told, **until)
    return case


def _upheld(case: ClawbackCase, wanted: Mapping[int, int] | None) -> dict[ClawbackLine, int]:
    """What is upheld of each line. Raises: NotFound for a line of another case, MoreThanAsked."""
    lines = list(case.lines.order_by("pk"))
    if wanted is None:
        return {line: line.amount_minor for line in lines}
    if set(wanted) - {line.pk for line in lines}:
        raise NotFound()
    for line in lines:
        if not 0 <= wanted.get(line.pk, 0) <= line.amount_minor:
            raise MoreThanAsked(asked=from_minor(line.amount_minor))
    return {line: wanted.get(line.pk, 0) for line in lines}


def _check_ready(case: ClawbackCase, target: str, at: datetime) -> None:
    # What is decided is closed when its money is back, not dropped.
    case.check_move(target if case.status in ("found", "notified", "replied") else "decided")
    waits = case.status == "notified" and not case.debt_minor
    if target == "decided" and waits and not passed(case, local_date(at, case.organisation.zone)):
        raise TermRuns(until=f"{case.reply_until:%d.%m.%Y}")


@step
def _write_decision(case: ClawbackCase, outcome: str, target: str, reason: str, actor: Actor, at: datetime) -> None:
    case.outcome, case.decision_reason = outcome, reason
    case.decided_by_id, case.decided_at = person(actor), at
    if outcome != DROPPED:
        case.return_until = term_ends(case.organisation, RETURN_DAYS, at)
    _save(case, target, at, "outcome", "decision_reason", "decided_by", "decided_at", "return_until")


@action
def close_clawback(
    *, organisation: Organisation, case_id: int, reason: str, actor: Actor, at: datetime
) -> ClawbackCase:
    """File a case whose money is back. Raises: NotFound, InvalidMove. Locks: case. Audit: clawback.closed."""
    case = locked_case(organisation, case_id)
    if case.status != "recovered":
        raise InvalidMove(status=case.status, target="closed")
    case.move_to("closed", at=at)
    record("clawback.closed", case, actor=actor, at=at, number=case.number, reason=reason)
    return case
