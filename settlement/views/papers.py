"""A claim on paper and for other programs: the act of services, the invoice, and EN 16931."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header

from config.accounts.access import requires
from config.accounts.models import Organisation
from config.clock import local_date
from contracts.views.pages import access_of
from settlement.claim_invoice import write_invoice
from settlement.claim_papers import claim_paper
from settlement.line_queries import claim_lines
from settlement.printed_tables import PrintedTable, table_pdf, table_xlsx
from settlement.views.claims import claim_of
from settlement.views.sheets import TYPES


@requires("claims.view")
def invoice_xml(request: HttpRequest, pk: int) -> HttpResponse:
    """The claim as an EN 16931 invoice (UBL 2.1)."""
    access = access_of(request)
    claim = claim_of(access, pk)
    issued = local_date(claim.submitted_at or access.now(claim.organisation), claim.organisation.zone)
    content = write_invoice(claim, claim_lines(claim), issued_on=issued)
    answer = HttpResponse(content, content_type="application/xml")
    answer["Content-Disposition"] = f'attachment; filename="claim-{claim.pk}.xml"'
    return answer


@requires("claims.view")
def paper(request: HttpRequest, pk: int, kind: str, form: str) -> HttpResponse:
    """The act of services or the invoice, to print and sign or as a spreadsheet."""
    access = access_of(request)
    claim = claim_of(access, pk)
    made_at = claim.submitted_at or access.now(claim.organisation)
    table = claim_paper(claim, kind, made_at=made_at)
    return table_answer(table, claim.organisation, form=form, name=f"claim-{claim.pk}-{kind}", made_at=made_at)


def table_answer(
    table: PrintedTable, organisation: Organisation, *, form: str, name: str, made_at: datetime
) -> HttpResponse:
    """A table that people sign, as a PDF shown in the browser or as a workbook to keep. Raises: TooLongForPaper."""
    content = table_pdf(table, organisation, made_at=made_at) if form == "pdf" else table_xlsx(table)
    answer = HttpResponse(content, content_type="application/pdf" if form == "pdf" else TYPES["xlsx"])
    answer["Content-Disposition"] = content_disposition_header(form != "pdf", f"{name}.{form}") or "attachment"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
