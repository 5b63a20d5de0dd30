"""The printed certificate, read back from the picture of its page."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import zxingcpp
from django.utils import translation
from PIL import Image
from pypdf import PdfReader

from tests.vouchers.town import OCTOBER, Town
from vouchers.documents import certificate_pdf
from vouchers.gateways.certificate_keys import signing_key
from vouchers.gateways.certificate_token import fingerprint, read_token
from vouchers.rules.certificate_code import show_short_code


@pytest.fixture
def printed(town: Town, tmp_path: Path) -> tuple[object, Path]:
    """An issued certificate and its PDF."""
    issued = town.issue()
    path = tmp_path / "certificate.pdf"
    with translation.override("uk"):
        path.write_bytes(certificate_pdf(certificate=issued.certificate, printed_at=OCTOBER))
    return issued, path


def test_the_qr_on_the_page_verifies_with_the_public_key_alone(printed: tuple, tmp_path: Path) -> None:
    issued, pdf = printed
    subprocess.run(["pdftoppm", "-r", "150", "-gray", "-png", str(pdf), str(tmp_path / "page")], check=True)
    (page,) = tmp_path.glob("page*.png")
    (found,) = zxingcpp.read_barcodes(Image.open(page))
    token = read_token(found.text, public_key=signing_key().cose_public())
    assert (token.number, token.issuer) == (issued.certificate.number, "verbivka")
    assert fingerprint(token.token_id) == issued.certificate.token_hash
    assert issued.certificate.recipient.name not in found.text
    corners = found.position
    assert (corners.top_right.x - corners.top_left.x) / 150 * 25.4 >= 40  # millimetres on paper


def test_the_paper_is_one_tagged_page_with_code_and_without_secrets(printed: tuple) -> None:
    issued, pdf = printed
    reader = PdfReader(pdf)
    text = reader.pages[0].extract_text()
    assert len(reader.pages) == 1
    assert show_short_code(issued.short_code) in text and "40" in text and "31.12.2025" in text
    assert issued.pin not in text and "1950" not in text
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] == "uk"
    assert b"pdfuaid" in pdf.read_bytes() or "/Metadata" in root
