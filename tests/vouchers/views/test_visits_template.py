"""The template that a provider fills in is a file that the import takes."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from openpyxl import load_workbook

from config.accounts.models import Organisation, User
from tests.vouchers.town import build_town
from vouchers.gateways.headings import heading_of
from vouchers.gateways.visits_template import COLUMNS
from vouchers.models import Redemption

pytestmark = pytest.mark.django_db
VISIT = ["CT-1", "015.1", "2025-11-12 09:00", "2025-11-12 10:30", "1,5", "W-1", "MY-1"]


@pytest.fixture
def provider(client: Client, cast: dict[str, User], organisation: Organisation) -> Client:
    build_town(organisation, cast)
    client.force_login(cast["nadiia"])
    return client


def filled_xlsx(template: bytes) -> bytes:
    book = load_workbook(io.BytesIO(template))
    sheet = book.worksheets[0]
    for number, value in enumerate(VISIT, start=1):
        sheet.cell(row=2, column=number, value=value)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def filled_csv(template: bytes) -> bytes:
    heading = template.decode("utf-8-sig").splitlines()[0]
    return (heading + "\n" + ",".join(f'"{value}"' for value in VISIT) + "\n").encode()


@pytest.mark.parametrize(("kind", "fill"), [("xlsx", filled_xlsx), ("csv", filled_csv)])
def test_the_filled_template_is_imported(provider: Client, kind: str, fill: object) -> None:
    template = provider.get(f"/vouchers/visits/template/{kind}/").content
    file = SimpleUploadedFile(f"visits.{kind}", fill(template))  # type: ignore[operator]
    answer = provider.post("/vouchers/visits/import/", {"file": file})
    assert answer.status_code == 200
    visit = Redemption.objects.get(code="MY-1")
    assert (visit.certificate_number, visit.service_code, visit.worker_code) == ("CT-1", "015.1", "W-1")
    assert visit.units_milli == 1500


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_the_example_itself_can_be_read(provider: Client, kind: str) -> None:
    """Whoever sends the template as it came learns about the visit, not about a broken file."""
    template = provider.get(f"/vouchers/visits/template/{kind}/").content
    file = SimpleUploadedFile(f"visits.{kind}", template)
    assert provider.post("/vouchers/visits/import/", {"file": file}).context["bad_count"] == 0


def test_the_page_offers_both(provider: Client) -> None:
    page = provider.get("/vouchers/visits/import/").content.decode()
    assert "/vouchers/visits/template/xlsx/" in page
    assert "/vouchers/visits/template/csv/" in page


def test_the_columns_are_explained(provider: Client) -> None:
    book = load_workbook(io.BytesIO(provider.get("/vouchers/visits/template/xlsx/").content))
    assert [row[0] for row in book.worksheets[1].iter_rows(values_only=True)] == [
        heading_of(column) for column in COLUMNS
    ]
    assert book.worksheets[0]["B1"].comment.text == "код послуги"


@pytest.mark.parametrize(("username", "status"), [("outsider", 403), ("olena", 403), ("nadiia", 404)])
def test_refusals(provider: Client, cast: dict[str, User], username: str, status: int) -> None:
    provider.force_login(cast[username])
    assert provider.get("/vouchers/visits/template/pdf/").status_code == status
