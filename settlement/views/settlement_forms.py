"""Settlement forms: acts and invoices of claims, and the forms of Russian law, as PDF and spreadsheets."""

from __future__ import annotations

import csv
import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.accounts.access import Access, requires
from config.errors import DomainError, NotFound
from contracts.models import Provider
from contracts.views.pages import access_of, page_of
from settlement import line_queries
from settlement.actions.settlement_forms import draw_compensation, draw_form
from settlement.forms import SettlementFormForm
from settlement.printed_tables import PrintedTable
from settlement.ru_form_inputs import EXAMPLES, INPUTS, FormRowsRefused, read_form_file, reason_words
from settlement.ru_form_papers import FORMS, PROFILES, FormOfOtherLaw
from settlement.views.papers import table_answer

SHOWN_FAULTS = 100
# The form that can be made of what is judged here.
FROM_CLAIMS = "compensation"


@requires("settlement_forms.draw")
def form_list(request: HttpRequest) -> HttpResponse:
    """Forms of the municipality's law; acts and invoices claim by claim."""
    access, q = access_of(request), request.GET.get("q", "").strip()
    ours = access.office().jurisdiction in PROFILES
    context = {
        "forms": list(FORMS.items()) if ours else [],
        "page": page_of(request, line_queries.visible_claims(access, q).filter(reverses=None)),
        "q": q,
    }
    return render(request, "settlement/forms/list.html", context)


@requires("settlement_forms.draw")
def form_draw(request: HttpRequest, form: str) -> HttpResponse:
    """Draw one form: whose, of which month, from which spreadsheet; every cell that cannot be used is listed."""
    access = access_of(request)
    office = _office_of(access, form)
    asked = SettlementFormForm(
        request.POST or None,
        request.FILES or None,
        organisation=office,
        from_claims=form == FROM_CLAIMS,
        initial={"provider": request.GET.get("provider"), "period": request.GET.get("period"), "kind": "pdf"},
    )
    refusal = None
    if request.method == "POST" and asked.is_valid():
        try:
            return _file(access, form, asked.cleaned_data)
        except DomainError as error:
            refusal = error
    return _page(request, form, asked, refusal)


def _office_of(access: Access, form: str) -> Any:
    """The reader's office, where the form is of its law. Raises: NotFound, FormOfOtherLaw."""
    if form not in FORMS:
        raise NotFound()
    if access.office().jurisdiction not in PROFILES:
        raise FormOfOtherLaw()
    return access.office()


def _file(access: Access, form: str, asked: dict[str, Any]) -> HttpResponse:
    """The drawn form as a file. Raises: DomainError."""
    paper = _drawn(access, form, asked)
    provider: Provider = asked["provider"]
    name = f"{form}-{provider.code}-{asked['period']:%Y-%m}"
    return table_answer(paper, access.office(), form=asked["kind"], name=name, made_at=access.now())


def _drawn(access: Access, form: str, asked: dict[str, Any]) -> PrintedTable:
    office, at = access.office(), access.now()
    common: dict[str, Any] = {"organisation": office, "provider": asked["provider"], "period": asked["period"]}
    if asked["file"] is None:
        return draw_compensation(**common, actor=access.actor, at=at)
    content = asked["file"].read()
    rows = read_form_file(form=form, name=str(asked["file"].name), content=content)
    digest = hashlib.sha256(content).hexdigest()
    return draw_form(**common, form=form, rows=rows, sha256=digest, actor=access.actor, at=at)


def _page(request: HttpRequest, form: str, asked: SettlementFormForm, refusal: DomainError | None) -> HttpResponse:
    faults = refusal.faults if isinstance(refusal, FormRowsRefused) else []
    context = {
        "code": form,
        "kind": FORMS[form],
        "form": asked,
        "refusal": refusal,
        "file": refusal.file if isinstance(refusal, FormRowsRefused) else "",
        "faults": [(fault, reason_words(fault)) for fault in faults[:SHOWN_FAULTS]],
        "more_faults": max(0, len(faults) - SHOWN_FAULTS),
        "inputs": INPUTS[form],
        "from_claims": form == FROM_CLAIMS,
    }
    return render(request, "settlement/forms/draw.html", context, status=400 if refusal or asked.errors else 200)


@requires("settlement_forms.draw")
def form_template(request: HttpRequest, form: str) -> HttpResponse:
    """A spreadsheet to fill in: the columns of the form and one example."""
    _office_of(access_of(request), form)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{form}.csv"'
    answer.write("\ufeff")
    csv.writer(answer).writerows([[column.name for column in INPUTS[form]], EXAMPLES[form]])
    return answer
