"""The printed certificate: PDF/UA, big type, a QR of 40 mm and a short code for phone and hand entry."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any

import segno
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from vouchers.models import Certificate
from vouchers.queries import payload_of
from vouchers.rules.certificate_code import show_short_code


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
