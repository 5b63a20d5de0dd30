"""Reads of the vouchers app. Every list takes the reader's scope: the organisation, or a person's own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.apps import apps
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Sum

from config.accounts.access import Access
from config.accounts.models import Organisation, User
from config.errors import NotFound
from contracts.models import Contract, Provider
from vouchers.models import (
    Certificate,
    CertificateEntry,
    CertificateLine,
    FeeAssessment,
    Recipient,
    RecipientResidence,
    Redemption,
)

EMPTY = "—"


def in_force(on: date, prefix: str = "") -> Q:
    """Rows with valid_from and valid_to that hold on a day; ``prefix`` ends with two underscores."""
    return Q(**{f"{prefix}valid_from__lte": on}) & (
        Q(**{f"{prefix}valid_to": None}) | Q(**{f"{prefix}valid_to__gt": on})
    )


def registers_of(user: User) -> Q:
    """Municipalities on whose register of recipients the person is."""
    return Q(pk__in=Recipient.objects.filter(user=user).values("organisation"))


def recipients(organisation: Organisation, *, on: date) -> QuerySet[Recipient]:
    """The register of an organisation with residence and way of paying on a day, by code."""
    residence = RecipientResidence.objects.filter(in_force(on), recipient=OuterRef("pk"))
    fee = FeeAssessment.objects.filter(in_force(on), recipient=OuterRef("pk"))
    return (
        Recipient.objects.filter(organisation=organisation)
        .annotate(
            territory_name=Subquery(residence.values("territory__name")[:1]),
            fee_mode=Subquery(fee.values("mode")[:1]),
            fee_limit=Subquery(fee.values("monthly_limit")[:1]),
        )
        .order_by("code")
    )


def guests(reference: str = "pk") -> Exists:
    """Whether the recipient named by a column is another municipality's, served here on its certificate."""
    return Exists(Certificate.objects.filter(recipient=OuterRef(reference), home__isnull=False))


def home_of(recipient: Recipient) -> Organisation | None:
    """The municipality that decides about a guest; none for a recipient of our own."""
    issued = Certificate.objects.filter(guests__recipient=recipient).select_related("organisation")
    found = issued.order_by("pk").first()
    return found.organisation if found else None


def mask_name(full_name: str) -> str:
    """A name for lists: enough to tell people apart, too little to know one. Example: «Ков… О. П.».

    What stands in brackets beside a name is no name.
    """
    words = [word for word in re.sub(r"\([^)]*\)", " ", full_name).split() if word[0].isalpha()]
    initials = [f"{word[0]}." for word in words[1:3]]
    return " ".join([f"{words[0][: max(1, min(3, len(words[0]) - 2))]}…", *initials]) if words else EMPTY


def name_for(access: Access, recipient: Recipient) -> str:
    """The name of a recipient as the reader may see it: whole for who keeps the register and for the recipient, masked
    for everybody else.
    """
    whole = access.may("recipients.edit") or recipient.user_id == access.user.pk
    return recipient.name if whole else mask_name(recipient.name)


def address_for(access: Access, recipient: Recipient) -> str:
    """Whom a notice is to, as the reader may see it; with a masked name the code tells people apart."""
    name = name_for(access, recipient)
    if not recipient.name:
        return recipient.code
    return name if name == recipient.name else f"{recipient.code}, {name}"


@dataclass(frozen=True)
class LineBalance:
    """What is left on a certificate line, thousandths of its unit.

    ``reported`` visits are evidence outside the balance: adjudication decides which of them count.
    """

    line: CertificateLine
    issued: int
    held: int
    captured: int
    left: int
    reported: int = 0


def line_balances(certificates: Iterable[Certificate]) -> dict[int, list[LineBalance]]:
    """Balances of the lines of certificates by certificate: three queries whatever their number."""
    certificates = list(certificates)
    lines = CertificateLine.objects.filter(certificate__in=certificates).select_related("service")
    evidence = reported_units(certificates)
    sums: dict[int, dict[str, int]] = {}
    rows = CertificateEntry.objects.filter(certificate_line__in=lines).values_list("certificate_line_id", "kind")
    for line_id, kind, total in rows.annotate(total=Sum("units_milli")):
        sums.setdefault(line_id, {})[kind] = total
    answer: dict[int, list[LineBalance]] = {}
    for line in lines.order_by("service__code"):
        answer.setdefault(line.certificate_id, []).append(_balance(line, sums.get(line.pk, {}), evidence))
    return answer


def reported_units(certificates: Iterable[Certificate]) -> dict[tuple[int | None, int | None], int]:
    """Thousandths of reported visits by (certificate, service)."""
    rows = Redemption.objects.filter(certificate__in=list(certificates), status="confirmed").exclude(channel="online")
    found = rows.values_list("certificate_id", "service_id").annotate(total=Sum("units_milli"))
    return {(certificate, service): total or 0 for certificate, service, total in found}


def _balance(
    line: CertificateLine, sums: dict[str, int], evidence: dict[tuple[int | None, int | None], int]
) -> LineBalance:
    held = -(sums.get("held", 0) + sums.get("released", 0))
    captured = -(sums.get("captured", 0) + sums.get("restored", 0))
    reported = evidence.get((line.certificate_id, line.service_id), 0)
    return LineBalance(line, sums.get("issued", 0), held, captured, sum(sums.values()), reported)


def certificates(organisation: Organisation) -> QuerySet[Certificate]:
    """All certificates of an organisation, newest first."""
    rows = Certificate.objects.filter(organisation=organisation)
    return rows.select_related("recipient", "organisation", "budget_line").order_by("-valid_from", "-number")


def visible_certificates(access: Any) -> QuerySet[Certificate]:
    """Certificates the reader may open: of the office, or a recipient's own."""
    rows = Certificate.objects.select_related(
        "recipient", "organisation", "budget_line", "replaces", "home__organisation"
    )
    if access.may("recipients.view") or access.may("fees.view"):
        return rows.filter(organisation=access.office())
    return rows.filter(recipient__user=access.user)


def visits_on(certificates: Iterable[Certificate]) -> QuerySet[Redemption]:
    """Redemptions that took units of certificates, those bought by another municipality included."""
    keys = [certificate.pk for certificate in certificates]
    return Redemption.objects.filter(Q(certificate__in=keys) | Q(certificate__home__in=keys))


def redemptions_of_provider(provider: Provider | None) -> QuerySet[Redemption]:
    """A provider's own redemptions, the latest first."""
    rows = Redemption.objects.filter(provider=provider) if provider else Redemption.objects.none()
    return rows.select_related("service", "certificate", "worker", "organisation").order_by("-starts_at", "-id")


def redemptions_of_office(organisation: Organisation) -> QuerySet[Redemption]:
    """All redemptions of an organisation, the latest first."""
    rows = Redemption.objects.filter(organisation=organisation)
    return rows.select_related("service", "certificate", "worker", "provider").order_by("-starts_at", "-id")


def claim_of(redemption: Redemption) -> str:
    """Number of the claim that asks for a redemption; claims belong to an app above and are asked for by name."""
    lines = apps.get_model("settlement", "ClaimLine")._default_manager.filter(redemption=redemption)
    live = lines.exclude(claim__status__in=["withdrawn", "reversed"]).exclude(claim__status="rejected", claim__run=None)
    return live.values_list("claim__number", flat=True).first() or ""


def redemptions_of_recipient(recipient: Recipient) -> QuerySet[Redemption]:
    """Visits on a recipient's certificates, the latest first."""
    rows = Redemption.objects.filter(Q(certificate__recipient=recipient) | Q(certificate__home__recipient=recipient))
    return rows.select_related("service", "provider").order_by("-starts_at", "-id")


def found_redemptions(rows: QuerySet[Redemption], q: str) -> QuerySet[Redemption]:
    """Those whose code, certificate or worker begins with the text."""
    if not q:
        return rows
    return rows.filter(Q(code__istartswith=q) | Q(certificate_number__istartswith=q) | Q(worker_code__iexact=q))


def is_recipient(user: User) -> bool:
    """Whether the person is on a register of recipients."""
    return Recipient.objects.filter(user=user).exists()


def recipient_of(user: User) -> Recipient:
    """The recipient a person is. Raises: NotFound."""
    found = Recipient.objects.filter(user=user).select_related("organisation").first()
    if found is None:
        raise NotFound()
    return found


def providers_to_choose(certificate: Certificate, *, on: date) -> list[Contract]:
    """Contracts of active providers that serve a service of the certificate on a day, by provider name."""
    services = certificate.lines.values("service")
    rows = (
        Contract.objects.filter(
            in_force(on), organisation=certificate.organisation, status="active", lines__service__in=services
        )
        .filter(Q(provider__active_from=None) | Q(provider__active_from__lte=on))
        .filter(Q(provider__active_to=None) | Q(provider__active_to__gt=on))
        .exclude(
            Q(provider__suspensions__from_date__lte=on)
            & (Q(provider__suspensions__to_date=None) | Q(provider__suspensions__to_date__gt=on))
        )
    )
    return list(
        rows.select_related("provider").prefetch_related("lines__service").distinct().order_by("provider__name")
    )
