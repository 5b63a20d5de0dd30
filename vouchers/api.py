"""Redeeming certificates from a provider's own program: the same actions and refusals as at the door."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Header, Router, Schema
from pydantic import Field

from config.accounts.access import Access
from config.accounts.api_auth import caller, opens
from config.clock import local_date
from config.errors import NotFound
from config.office.api_parts import (
    REFUSALS,
    Code,
    Moment,
    RequestKey,
    RowId,
    Text,
    Units,
    Wish,
    in_scope,
    local,
    units_text,
    written_once,
)
from config.statuses import label_of_status
from contracts.models import Provider
from contracts.queries import clearing_agreements_on, provider_of
from vouchers import queries
from vouchers.actions.redemption_checks import RedemptionRefused
from vouchers.actions.redemptions import (
    authorise_redemption,
    confirm_redemption,
    find_certificate,
    void_redemption,
)
from vouchers.models import Certificate, Redemption

router = Router(tags=["certificates"])

# Short code or QR payload. In a header or a body, never in an address, which servers write to their logs.
CertificateKey = Annotated[Text, Field(min_length=1, description="Short code, or the text of the QR code")]


class Balance(Schema):
    """What is left of one service; 3 places."""

    service: str
    service_name: str
    unit: str
    issued: str
    held: str
    used: str
    left: str


class CertificateBalance(Schema):
    """A certificate without its recipient: who holds it at the door sees whom they serve."""

    number: str
    status: str
    status_words: str
    valid_from: date
    last_day: date | None
    lines: list[Balance]


class RedemptionRead(Schema):
    """A redemption; units have 3 places."""

    id: int
    code: str
    status: str
    status_words: str
    certificate: str
    service: str
    worker: str
    starts_at: datetime | None
    ends_at: datetime | None
    units: str | None
    expires_at: datetime | None


class RedemptionWish(Wish):
    """A visit for which units are to be held."""

    certificate_key: CertificateKey
    pin: Annotated[Code, Field(max_length=8)]
    service_code: Code
    worker_code: Code
    starts_at: Moment
    units: Units


class ConfirmWish(Wish):
    """What was really given."""

    units: Units
    ends_at: Moment


class VoidWish(Wish):
    """Why nothing was given."""

    reason: Annotated[Text, Field(min_length=1)]


def _provider(access: Access) -> Provider:
    """The provider that the caller acts for. Raises: NotFound."""
    provider = provider_of(access.user)
    if provider is None:
        raise NotFound()
    return provider


def _certificate(access: Access, key: str) -> Certificate:
    """Raises: RedemptionRefused, also for a certificate of an organisation that the key is not for, unless the key's
    accepts it as a guest's.
    """
    certificate = find_certificate(key)
    if access.only and certificate.organisation_id != access.only.pk:
        accepted = clearing_agreements_on(certificate.organisation_id, access.today()).filter(host=access.only)
        if not accepted.exists() or certificate.organisation.contract_set.filter(provider=_provider(access)).exists():
            raise RedemptionRefused("CERTIFICATE_UNKNOWN")
    return certificate


def _redemption(access: Access, pk: int) -> Redemption:
    """A redemption of the caller's provider. Raises: NotFound."""
    rows = in_scope(access, queries.redemptions_of_provider(_provider(access)))
    found = rows.select_related("organisation", "service").filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found


@router.get("/certificates/balance", response={200: CertificateBalance, **REFUSALS}, **opens("certificates.redeem"))
def read_balance(
    request: HttpRequest, certificate_key: Annotated[CertificateKey, Header(alias="Certificate-Key")]
) -> dict[str, Any]:
    """What is left on a certificate that somebody presents."""
    access = caller(request)
    _provider(access)
    certificate = _certificate(access, certificate_key)
    balances = queries.line_balances([certificate]).get(certificate.pk, [])
    home = certificate.organisation
    state = certificate.state_on(local_date(access.now(home), home.zone))
    return {
        "number": certificate.number,
        "status": state,
        "status_words": label_of_status(state),
        "valid_from": certificate.valid_from,
        "last_day": certificate.last_day,
        "lines": [_balance(row) for row in balances],
    }


def _balance(row: queries.LineBalance) -> dict[str, Any]:
    service = row.line.service
    figures = {"issued": row.issued, "held": row.held, "used": row.captured, "left": row.left}
    texts = {name: units_text(milli) for name, milli in figures.items()}
    return {"service": service.code, "service_name": service.name, "unit": service.unit, **texts}


def _read(redemption: Redemption) -> dict[str, Any]:
    """Plain JSON, for the answer is kept with the caller's key."""
    times = {name: getattr(redemption, name) for name in ("starts_at", "ends_at", "expires_at")}
    return {
        "id": redemption.pk,
        "code": redemption.code,
        "status": redemption.status,
        "status_words": label_of_status(redemption.status),
        "certificate": redemption.certificate_number,
        "service": redemption.service_code,
        "worker": redemption.worker_code,
        "units": units_text(redemption.units_milli),
        **{name: moment and moment.astimezone(UTC).isoformat() for name, moment in times.items()},
    }


@router.get(
    "/redemptions/{int:pk}",
    response={200: RedemptionRead, **REFUSALS},
    **opens("certificates.redeem"),
    url_name="redemption",
)
def read_redemption(request: HttpRequest, pk: RowId) -> dict[str, Any]:
    """A redemption of the caller's provider."""
    return _read(_redemption(caller(request), pk))


@router.post("/redemptions", response={201: RedemptionRead, **REFUSALS}, **opens("certificates.redeem"))
def authorise(request: HttpRequest, wish: RedemptionWish, key: RequestKey) -> Any:
    """Hold units for a visit. A wrong PIN counts, as at the door; a repetition holds nothing and says how it stands."""
    access = caller(request)
    provider = _provider(access)
    certificate = _certificate(access, wish.certificate_key)
    redemption = authorise_redemption(
        certificate_key=wish.certificate_key,
        pin=wish.pin,
        provider=provider,
        worker_code=wish.worker_code,
        service_code=wish.service_code,
        starts_at=local(wish.starts_at, certificate.organisation.zone),
        units=Decimal(wish.units),
        idempotency_key=key,
        actor=access.actor,
        at=access.now(certificate.organisation),
    )
    return 201, _read(redemption)


@router.post(
    "/redemptions/{int:pk}/confirm", response={200: RedemptionRead, **REFUSALS}, **opens("certificates.redeem")
)
def confirm(request: HttpRequest, pk: RowId, wish: ConfirmWish, key: RequestKey) -> Any:
    """Capture what was given, at most what was held; the rest returns to the certificate."""
    access = caller(request)
    redemption = _redemption(access, pk)

    def call() -> Redemption:
        return confirm_redemption(
            redemption=redemption,
            provider=_provider(access),
            units=Decimal(wish.units),
            ends_at=local(wish.ends_at, redemption.organisation.zone),
            actor=access.actor,
            at=access.now(redemption.organisation),
        )

    return written_once(request, key, wish, call, _read)


@router.post("/redemptions/{int:pk}/void", response={200: RedemptionRead, **REFUSALS}, **opens("certificates.redeem"))
def void(request: HttpRequest, pk: RowId, wish: VoidWish, key: RequestKey) -> Any:
    """Give the hold back."""
    access = caller(request)
    redemption = _redemption(access, pk)

    def call() -> Redemption:
        return void_redemption(
            redemption=redemption,
            provider=_provider(access),
            reason=wish.reason,
            actor=access.actor,
            at=access.now(redemption.organisation),
        )

    return written_once(request, key, wish, call, _read)
