"""Terms of a contract put right as of days already served: written by one person, approved by another."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError
from config.locks import lock_rows
from config.transactions import step
from contracts.actions.agreements import AgreedLine, check_price
from contracts.actions.amendments import check_inside, open_contract, place_terms
from contracts.actions.past_days import NothingPutRight, check_past_day, check_second_person, tell_correctors, touched
from contracts.models import Contract, ContractLine, PastTerms
from contracts.queries import contract_line_on, next_contract_line
from contracts.settled_queries import Settled, settled_lines

# A contract that has ended was served too.
SERVED = frozenset({"active", "terminated"})


class PastTermsWait(DomainError):
    """One proposal for a service at a time."""

    code = "PAST_TERMS_WAIT"
    message = _("Other terms of «%(service)s» for past days wait for approval already. Have them approved or refused.")


@action
def propose_past_terms(
    *, contract: Contract, line: AgreedLine, valid_from: date, basis: str, reason: str, actor: Actor, at: datetime
) -> PastTerms:
    """Write down which terms of a service were right from a day already served; nothing holds yet.

    Raises: PastReasonMissing, DayToCome, ContractClosed, OutsideContract, PriceAboveNorm, NormMissing,
    NothingPutRight, PastTermsWait. Audit: contract.past_terms_proposed.
    """
    contract = open_contract(contract, SERVED)
    _check(contract, line, valid_from, reason, at)
    if PastTerms.objects.filter(contract=contract, service=line.service, status="draft").exists():
        raise PastTermsWait(service=line.service)
    terms = PastTerms.objects.create(
        contract=contract,
        service=line.service,
        valid_from=valid_from,
        unit_rate=line.unit_rate,
        units_ceiling=line.units_ceiling,
        basis=basis,
        reason=reason.strip(),
        author_id=actor.user_id,
        recorded_at=at,
        status="draft",
        status_at=at,
    )
    record("contract.past_terms_proposed", contract, terms, actor=actor, at=at, **_said(terms))
    return terms


@action
def approve_past_terms(*, terms: PastTerms, actor: Actor, at: datetime) -> ContractLine:
    """The terms hold from their past day until the next ones agreed; runs of before keep what they knew.

    What held on the first day ends the day before; what began on that very day says otherwise from now on, in place.
    Raises: FourEyes for who wrote them, RelatedPerson to the provider, InvalidMove, and as when they were proposed.
    Locks: the contract, the proposal. Audit: contract.past_terms_approved.
    """
    contract = open_contract(terms.contract, SERVED)
    terms = lock_rows(PastTerms.objects.filter(pk=terms.pk).select_related("contract", "service"))[0]
    terms.check_move("approved")
    line = AgreedLine(terms.service, terms.unit_rate, terms.units_ceiling)
    _check(contract, line, terms.valid_from, terms.reason, at)
    settled = settled_by_terms(contract.organisation, terms)
    paid = settled.providers | {contract.provider_id}
    check_second_person(contract.organisation, terms.author_id, paid, actor, at)
    before, row = _place(contract, line, terms, at)
    terms.approver_id, terms.line = actor.user_id, row
    terms.save(update_fields=["approver", "line"])
    terms.move_to("approved", at=at)
    was: dict[str, Any] = {"before": before} if before is not None else {}
    said = {**_said(terms), **was, **touched(settled)}
    record("contract.past_terms_approved", contract, terms, actor=actor, at=at, **said)
    tell_correctors(terms, contract.organisation, "contract.past_terms_approved", settled, terms.reason, at)
    return row


@action
def withdraw_past_terms(*, terms: PastTerms, reason: str, actor: Actor, at: datetime) -> PastTerms:
    """Take proposed terms back, or refuse them. Raises: InvalidMove. Audit: contract.past_terms_withdrawn."""
    terms = lock_rows(PastTerms.objects.filter(pk=terms.pk).select_related("contract", "service"))[0]
    terms.move_to("withdrawn", at=at)
    service = terms.service.code
    record("contract.past_terms_withdrawn", terms.contract, terms, actor=actor, at=at, service=service, reason=reason)
    return terms


def settled_by_terms(organisation: Organisation, terms: PastTerms) -> Settled:
    """Lines decided for days on which the terms would hold."""
    until = next_contract_line(contract=terms.contract, service=terms.service, after=terms.valid_from)
    return settled_lines(
        organisation,
        since=terms.valid_from,
        until=until,
        service=terms.service,
        contract=terms.contract,
        rate=terms.unit_rate,
    )


def _check(contract: Contract, line: AgreedLine, valid_from: date, reason: str, at: datetime) -> None:
    check_past_day(contract.organisation, valid_from, reason, at)
    check_inside(contract, valid_from)
    check_price(organisation=contract.organisation, line=line, on=valid_from)
    held = contract_line_on(contract=contract, service=line.service, on=valid_from)
    if held is not None and (held.unit_rate, held.units_ceiling) == (line.unit_rate, line.units_ceiling):
        raise NothingPutRight(day=f"{valid_from:%d.%m.%Y}")


@step
def _place(contract: Contract, line: AgreedLine, terms: PastTerms, at: datetime) -> tuple[Any, ContractLine]:
    """The rate before, and the row that says the terms now."""
    held = contract_line_on(contract=contract, service=line.service, on=terms.valid_from)
    before = held.unit_rate if held else None
    if held is None or (held.valid_from or contract.valid_from) < terms.valid_from:
        return before, place_terms(contract, line, terms.valid_from, terms.basis, at)
    held.change(at=at, unit_rate=line.unit_rate, units_ceiling=line.units_ceiling, amendment=terms.basis)
    return before, held


def _said(terms: PastTerms) -> dict[str, Any]:
    return {
        "service": terms.service.code,
        "unit_rate": terms.unit_rate,
        "valid_from": terms.valid_from,
        "basis": terms.basis,
        "reason": terms.reason,
    }
