"""The monthly act in which two people state that the bank's account and the books agree, or by how much they do not."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.clock import local_date
from config.errors import DomainError, NotFound
from config.periods import add_months
from settlement.actions.runs import person
from settlement.bank_queries import bank_figures, waiting_lines
from settlement.models import BankAct, BankActSignature


class ActTooEarly(DomainError):
    """The month goes on."""

    code = "BANK_ACT_TOO_EARLY"
    message = _("The month %(month)s is not over. The act is drawn up when its last statement is in.")


class ActSigned(DomainError):
    """One person, one signature; two signatures, one act."""

    code = "BANK_ACT_SIGNED"
    message = _("You have signed this act, or two people have. It takes the signatures of two different people.")


class ActOutdated(DomainError):
    """The second must see what the first saw."""

    code = "BANK_ACT_OUTDATED"
    message = _("The figures have changed since this act was drawn up. Draw up a new one and sign that.")


@action
def draw_bank_act(*, organisation: Organisation, iban: str, month: date, actor: Actor, at: datetime) -> BankAct:
    """Draw up the act of an account for a month that is over, and sign it as the first.

    Raises: NotFound for an account of others, ActTooEarly. Audit: bank_act.drawn.
    """
    month = month.replace(day=1)
    if iban not in organisation.accounts:
        raise NotFound()
    if local_date(at, organisation.zone) < add_months(month, 1):
        raise ActTooEarly(month=f"{month:%m.%Y}")
    earlier = BankAct.objects.filter(organisation=organisation, iban=iban, month=month)
    act = BankAct.objects.create(
        organisation=organisation,
        iban=iban,
        month=month,
        number=(earlier.aggregate(last=Max("number"))["last"] or 0) + 1,
        figures=_figures(organisation, iban, month),
        drawn_at=at,
    )
    BankActSignature.objects.create(act=act, place=1, signed_by_id=person(actor), signed_at=at)
    figures = {name: sum_ for name, sum_ in act.figures.items() if name != "lines"}
    record("bank_act.drawn", act, actor=actor, at=at, month=f"{month:%Y-%m}", figures=figures)
    return act


def _figures(organisation: Organisation, iban: str, month: date) -> dict[str, Any]:
    lines = waiting_lines(organisation, iban, month)
    return {**bank_figures(organisation, iban, month), "lines": lines}


@action
def sign_bank_act(*, organisation: Organisation, act_id: int, actor: Actor, at: datetime) -> BankAct:
    """Sign an act as the second person, while its figures are still true.

    Raises: NotFound, ActSigned, ActOutdated. Audit: bank_act.signed.
    """
    act = BankAct.objects.filter(pk=act_id, organisation=organisation).first()
    if act is None:
        raise NotFound()
    signed = list(act.signatures.values_list("signed_by", flat=True))
    if len(signed) != 1 or actor.user_id in signed:
        raise ActSigned()
    now = _figures(organisation, act.iban, act.month)
    if any(now[name] != said for name, said in act.figures.items()):
        raise ActOutdated()
    BankActSignature.objects.create(act=act, place=2, signed_by_id=person(actor), signed_at=at)
    record("bank_act.signed", act, actor=actor, at=at, month=f"{act.month:%Y-%m}")
    return act
