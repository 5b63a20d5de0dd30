"""A claim on paper and for other programs: the act of services, the invoice, and EN 16931."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.text import get_valid_filename
from django.utils.translation import override

from config.accounts.access import Access, requires
from config.accounts.models import Organisation
from config.clock import local_date
from config.errors import NotFound
from contracts.views.pages import access_of
from settlement.claim_invoice import InvoiceIncomplete, write_invoice
from settlement.claim_papers import claim_paper
from settlement.documents import document_language
from settlement.line_queries import claim_lines
from settlement.models import Claim
from settlement.printed_tables import PrintedTable, table_pdf, table_xlsx
from settlement.views.claims import claim_of
from settlement.views.sheets import TYPES


@requires("claims.view")
def invoice_xml(request: HttpRequest, pk: int) -> HttpResponse:
    """The claim as an EN 16931 invoice (UBL 2.1). Raises: NotFound for what takes a claim back, InvoiceIncomplete."""
    access = access_of(request)
    claim = claim_of(access, pk)
    if claim.reverses_id:
        raise NotFound()
    answer = HttpResponse(_invoice(claim, _moment(access, claim)), content_type="application/xml")
    answer["Content-Disposition"] = content_disposition_header(True, _invoice_name(claim)) or "attachment"
    return answer


def _moment(access: Access, claim: Claim) -> datetime:
    """The moment of a claim's papers: a draft's are of now."""
    return claim.submitted_at or access.now(claim.organisation)


def _invoice_name(claim: Claim) -> str:
    return get_valid_filename(f"claim-{claim.number}.xml")


def _invoice(claim: Claim, at: datetime) -> bytes:
    issued_on = local_date(at, claim.organisation.zone)
    with override(document_language(claim.organisation)):
        return write_invoice(claim, claim_lines(claim), issued_on=issued_on)


@requires("claims.view")
def paper(request: HttpRequest, pk: int, kind: str, form: str) -> HttpResponse:
    """The act of services or the invoice, to print and sign or as a spreadsheet.

    The printed invoice carries the same invoice for programs, where that can be written.
    """
    access = access_of(request)
    claim = claim_of(access, pk)
    at, data = _moment(access, claim), {}
    if kind == "invoice" and form == "pdf" and not claim.reverses_id:
        with suppress(InvoiceIncomplete):
            data = {_invoice_name(claim): _invoice(claim, at)}
    table = claim_paper(claim, kind, made_at=at)
    name = get_valid_filename(f"claim-{claim.number}-{kind}")
    return table_answer(table, claim.organisation, form=form, name=name, made_at=at, data=data)


def table_answer(
    table: PrintedTable,
    organisation: Organisation,
    *,
    form: str,
    name: str,
    made_at: datetime,
    data: Mapping[str, bytes] | None = None,
) -> HttpResponse:
    """A table that people sign, as a PDF shown in the browser or as a workbook to keep. Raises: TooLongForPaper."""
    content = table_pdf(table, organisation, made_at=made_at, data=data) if form == "pdf" else table_xlsx(table)
    answer = HttpResponse(content, content_type="application/pdf" if form == "pdf" else TYPES["xlsx"])
    answer["Content-Disposition"] = content_disposition_header(form != "pdf", f"{name}.{form}") or "attachment"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
