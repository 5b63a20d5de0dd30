"""A claim on paper and for other programs: the act of services, the invoice, and EN 16931."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from config.accounts.access import requires
from config.clock import local_date
from contracts.views.pages import access_of
from settlement.claim_invoice import write_invoice
from settlement.claim_papers import claim_paper
from settlement.line_queries import claim_lines
from settlement.views.claims import claim_of


@requires("claims.view")
def invoice_xml(request: HttpRequest, pk: int) -> HttpResponse:
    """The claim as an EN 16931 invoice (UBL 2.1)."""
    access = access_of(request)
    claim = claim_of(access, pk)
    issued = local_date(claim.submitted_at or access.now(), claim.organisation.zone)
    content = write_invoice(claim, claim_lines(claim), issued_on=issued)
    answer = HttpResponse(content, content_type="application/xml")
    answer["Content-Disposition"] = f'attachment; filename="claim-{claim.pk}.xml"'
    return answer


@requires("claims.view")
def paper(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The act of services or the invoice, to print and sign."""
    access = access_of(request)
    claim = claim_of(access, pk)
    made_at = claim.submitted_at or access.now()
    answer = HttpResponse(claim_paper(claim, kind, made_at=made_at), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="claim-{claim.pk}-{kind}.pdf"'
    return answer
