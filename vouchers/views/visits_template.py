"""The spreadsheet in which a provider reports visits, empty and ready to be filled in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from config.accounts.access import requires
from config.errors import NotFound
from contracts.models import Worker
from contracts.queries import provider_of
from contracts.views.pages import access_of
from vouchers.gateways.visits_template import XLSX, Example, visits_csv, visits_xlsx

KINDS = {"xlsx": (visits_xlsx, XLSX), "csv": (visits_csv, "text/csv; charset=utf-8")}


@requires("certificates.redeem")
def visits_template(request: HttpRequest, kind: str) -> HttpResponse:
    """The template as XLSX or CSV; the example names a worker of the reader's own. Raises: NotFound."""
    if kind not in KINDS:
        raise NotFound()
    make, content_type = KINDS[kind]
    provider = provider_of(access_of(request).user)
    worker = Worker.objects.filter(provider=provider).order_by("code").first() if provider else None
    answer = HttpResponse(make(Example(worker=worker.code) if worker else Example()), content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="visits.{kind}"'
    return answer
