"""Certificates of other municipalities: what the one that buys the visits keeps of them, and keeps in step.

A visit is judged by the municipality that buys it, from its own records (decision 0028). So the first visit makes it a
recipient and a certificate with what adjudication asks for, and nothing more: no code, no PIN, no tax number, no
address. Units stay with the issuer: every movement is on the issuer's certificate.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.errors import DomainError
from config.locks import lock_rows
from config.periods import month_of
from config.transactions import step
from contracts.models import ClearingAgreement, Service
from vouchers.models import (
    Absence,
    Certificate,
    CertificateLine,
    CertificateSuspension,
    FeeAssessment,
    PlanLine,
    Recipient,
    RecipientResidence,
    Redemption,
)
from vouchers.queries import home_of

ENDED = ("cancelled", "replaced", "expired")
CODE_LENGTH = 64


class GuestCertificate(DomainError):
    """The issuer decides."""

    code = "GUEST_CERTIFICATE"
    message = _("The certificate «%(number)s» was issued by another municipality, which alone can change it.")


class GuestRecipient(DomainError):
    """The municipality where the person lives decides."""

    code = "GUEST_RECIPIENT"
    message = _(
        "%(code)s is a recipient of «%(home)s» and is served here on its certificate. Needs, fee, plan, certificates, "
        "residence, absences and death are decided and recorded there: ask the social service of «%(home)s». What it "
        "records is taken over here by itself."
    )


class CodeTooLong(DomainError):
    """Codes of guests begin with their municipality's."""

    code = "GUEST_CODE_TOO_LONG"
    message = _("The code «%(code)s» is too long to be used in another municipality. Contact the social service.")


def refuse_guest(certificate: Certificate) -> None:
    """Raises: GuestCertificate."""
    if certificate.home_id is not None:
        raise GuestCertificate(number=certificate.number)


def refuse_guest_recipient(recipient: Recipient) -> None:
    """Raises: GuestRecipient."""
    home = home_of(recipient)
    if home is not None:
        raise GuestRecipient(code=recipient.code, home=home.name)


def balance_line(redemption: Redemption) -> CertificateLine:
    """The line that gives the units of a redemption: the issuer's."""
    return CertificateLine.objects.get(pk=balance_lines([redemption])[redemption.pk])


def balance_lines(redemptions: Iterable[Redemption]) -> dict[int, int]:
    """Keys of the lines that give the units, by redemption: two queries whatever their number."""
    rows = list(redemptions)
    homes = dict(Certificate.objects.filter(pk__in={row.certificate_id for row in rows}).values_list("pk", "home_id"))
    givers = {row.pk: homes[row.certificate_id] or row.certificate_id for row in rows if row.certificate_id}
    found = CertificateLine.objects.filter(certificate__in=set(givers.values()))
    lines = {
        (certificate, code): pk for pk, certificate, code in found.values_list("pk", "certificate", "service__code")
    }
    return {row.pk: lines[givers[row.pk], row.service_code] for row in rows if row.pk in givers}


@step
def take_in(home: Certificate, agreement: ClearingAgreement, *, at: datetime) -> Certificate:
    """What the host keeps of a certificate, made at its first visit and brought into step at each.

    Raises: CodeTooLong. Locks: the guest among the host's recipients.
    """
    host = agreement.host
    guest = Certificate.objects.filter(home=home, organisation=host).select_related("organisation").first()
    if guest is None:
        recipient = _recipient(home.recipient, agreement, home.organisation, at)
        guest = Certificate.objects.create(
            organisation=host, number=_code(home.organisation, home.number), recipient=recipient, home=home,
            valid_from=home.valid_from, valid_to=home.valid_to, status="active", status_at=at,
        )  # fmt: skip
    bring_into_step([guest], at=at)
    return guest


@step
def bring_into_step(guests: Iterable[Certificate], *, at: datetime) -> None:
    """Learn what the issuers learnt since: ends, rests, absences, death, plans and fees. Locks: recipients."""
    rows = list(guests)
    lock_rows(Recipient.objects.filter(pk__in={row.recipient_id for row in rows}))
    for guest in (
        Certificate.objects.filter(pk__in=[row.pk for row in rows])
        .select_related("home__recipient", "recipient", "organisation")
        .order_by("pk")
    ):
        _bring_into_step(guest, at)


def _code(home: Organisation, code: str) -> str:
    """A code of another municipality as one of ours; the stroke keeps it apart from every series."""
    full = f"{home.code}/{code}"
    if len(full) > CODE_LENGTH:
        raise CodeTooLong(code=full)
    return full


@step
def _recipient(known: Recipient, agreement: ClearingAgreement, home: Organisation, at: datetime) -> Recipient:
    recipient, new = Recipient.objects.get_or_create(
        organisation=agreement.host,
        code=_code(home, known.code),
        defaults={
            "name": known.name, "name_index": known.name_index, "birth_date": known.birth_date, "registered_at": at,
        },
    )  # fmt: skip
    if new:
        RecipientResidence.objects.create(
            recipient=recipient, territory=agreement.territory, valid_from=month_of(agreement.valid_from),
            recorded_at=at,
        )  # fmt: skip
    return recipient


@step
def _bring_into_step(guest: Certificate, at: datetime) -> None:
    home, services = guest.home, _services(guest.organisation)
    assert home is not None
    _follow_death(guest.recipient, home.recipient, at)
    for line in home.lines.select_related("service"):
        if service := services.get((line.service.code, line.service.unit)):
            CertificateLine.objects.get_or_create(certificate=guest, service=service, defaults={"units": line.units})
    for copied in _COPIED:
        _follow(copied, guest, home, services, at)
    if guest.valid_to != home.valid_to:
        guest.change(at=at, valid_to=home.valid_to)
    if home.status in ENDED and guest.status not in ENDED:
        guest.move_to(home.status, at=at, status_from=home.status_from)


@step
def _follow_death(ours: Recipient, known: Recipient, at: datetime) -> None:
    if known.death_date is not None and ours.death_date is None:
        ours.death_date, ours.death_recorded_at = known.death_date, at
        ours.save(update_fields=["death_date", "death_recorded_at"])


Services = Mapping[tuple[str, str], Service]


def _services(organisation: Organisation) -> Services:
    return {(row.code, row.unit): row for row in Service.objects.filter(organisation=organisation)}


@dataclass(frozen=True)
class _Copied:
    """A table of facts that a guest has of its own: rows of an owner, what tells them apart, what they say."""

    model: Any
    owner: str
    keys: tuple[str, ...]
    values: tuple[str, ...]
    start: str = "valid_from"
    end: str = "valid_to"
    only: Q = field(default_factory=Q)

    def by_key(self, certificate: Certificate, services: Services) -> dict[tuple[Hashable, ...], Any]:
        """Rows of the certificate or its recipient by what tells them apart, with the host's services; what is of a
        service that the host does not know is left out.
        """
        owner = certificate if self.owner == "certificate" else certificate.recipient
        found, rows = {}, self.model._default_manager.filter(self.only, **{self.owner: owner})
        for row in rows.select_related("service") if "service" in self.keys else rows:
            key = [getattr(row, name) for name in self.keys]
            if "service" in self.keys:
                key[0] = services.get((row.service.code, row.service.unit))
            if key[0] is not None:
                found[tuple(key)] = row
        return found

    def said(self, row: Any) -> dict[str, Any]:
        """What a row says."""
        return {name: getattr(row, name) for name in self.values}

    def reaches(self, row: Any, certificate: Certificate) -> bool:
        """Whether a row holds on some day of the certificate."""
        start, end = getattr(row, self.start), getattr(row, self.end)
        return (end is None or end > certificate.valid_from) and (
            certificate.valid_to is None or start < certificate.valid_to
        )


_COPIED = (
    _Copied(FeeAssessment, "recipient", ("valid_from",), ("mode", "monthly_limit", "valid_to")),
    _Copied(
        PlanLine, "recipient", ("service", "valid_from"), ("units_per_month", "valid_to"),
        only=Q(plan=None) | Q(plan__status__in=("approved", "closed")),
    ),
    _Copied(Absence, "recipient", ("kind", "from_date"), ("to_date",), "from_date", "to_date"),
    _Copied(CertificateSuspension, "certificate", ("from_date",), ("to_date",), "from_date", "to_date"),
)  # fmt: skip


@step
def _follow(copied: _Copied, guest: Certificate, home: Certificate, services: Services, at: datetime) -> None:
    """What is no longer known there goes first and what ends earlier next, so that nothing overlaps on the way."""
    theirs = copied.by_key(home, services)
    ours = copied.by_key(guest, services)
    for key in ours.keys() - theirs.keys():
        ours.pop(key).withdraw(at=at)
    for key, row in sorted(ours.items(), key=lambda pair: getattr(theirs[pair[0]], copied.end) or date.max):
        said = copied.said(theirs[key])
        if said != copied.said(row):
            row.change(at=at, **said)
    owner = {copied.owner: guest if copied.owner == "certificate" else guest.recipient}
    copied.model._default_manager.bulk_create(
        copied.model(**owner, **dict(zip(copied.keys, key, strict=True)), **copied.said(row), recorded_at=at)
        for key, row in theirs.items()
        if key not in ours and copied.reaches(row, home)
    )
