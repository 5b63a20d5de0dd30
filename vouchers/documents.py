"""The printed certificate: PDF/UA, big type, a QR of 40 mm and a short code for phone and hand entry."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import segno
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from config.money import to_units
from vouchers.gateways.certificate_token import sign_token
from vouchers.models import Certificate, CertificateLine
from vouchers.rules.certificate_code import show_short_code


def payload_of(certificate: Certificate, lines: Iterable[CertificateLine] | None = None) -> str:
    """The QR payload, signed anew; its secret id is the same at every printing."""
    zone = ZoneInfo(certificate.organisation.zone)
    rows = list(lines if lines is not None else certificate.lines.select_related("service").order_by("service__code"))
    return sign_token(
        issuer=certificate.organisation.code,
        number=certificate.number,
        not_before=_midnight(certificate.valid_from, zone),
        expires=_midnight(certificate.valid_to, zone) if certificate.valid_to else None,
        lines=[(row.service.code, to_units(row.units)) for row in rows],
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def certificate_pdf(*, certificate: Certificate, printed_at: datetime) -> bytes:
    """A tagged PDF (PDF/UA-1) of one certificate. The PIN is never on it; the name is on paper only, not in the QR."""
    from weasyprint import HTML  # 2 seconds to import: only whoever prints pays them

    html = render_to_string("documents/certificate.html", certificate_context(certificate, printed_at))
    pdf: bytes = HTML(string=html).write_pdf(pdf_variant="pdf/ua-1")
    return pdf


def certificate_context(certificate: Certificate, printed_at: datetime) -> dict[str, Any]:
    """What the paper shows."""
    lines = list(certificate.lines.select_related("service").order_by("service__code"))
    payload = payload_of(certificate, lines)
    return {
        "certificate": certificate,
        "organisation": certificate.organisation,
        "recipient_name": certificate.recipient.name,
        "lines": lines,
        "short_code": show_short_code(certificate.short_code or ""),
        "last_day": certificate.valid_to and certificate.valid_to - timedelta(days=1),
        "qr": qr_svg(payload),
        "printed_at": printed_at,
    }


def qr_svg(payload: str) -> str:
    """The payload as an inline SVG that scales; error correction M."""
    out = io.BytesIO()
    code = segno.make(payload, error="m", micro=False, boost_error=False)
    code.save(out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, nl=False)
    return mark_safe(out.getvalue().decode())  # noqa: S308  drawn by us from modules, holds no text of anybody
