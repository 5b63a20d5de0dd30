"""What every page of this app and the apps above does the same way: scope, paging, one call with its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext

from config.accounts.access import Access
from config.accounts.models import User
from config.accounts.people import invitation_days, invitation_path
from config.errors import DomainError, NotFound
from config.office.models import Attachment
from config.office.storage import open_attachment

M = TypeVar("M", bound=Model)
R = TypeVar("R")
PAGE_SIZE = 25


def access_of(request: HttpRequest) -> Access:
    """What the reader may do."""
    held: Access = request.access  # type: ignore[attr-defined]
    return held


def page_of(request: HttpRequest, rows: QuerySet[M]) -> Page[M]:
    """The asked page of a list, the nearest one when it does not exist."""
    return Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))


def one_of(rows: QuerySet[M], pk: int) -> M:
    """The row of the reader's scope. Raises: NotFound, also for rows of others."""
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found


def download(file: Attachment) -> HttpResponse:
    """A stored file, never shown inside the page."""
    answer = HttpResponse(open_attachment(file).read(), content_type=file.content_type)
    answer["Content-Disposition"] = content_disposition_header(True, file.name) or "attachment"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def private_pdf(content: bytes, name: str) -> HttpResponse:
    """A paper about a person, shown in the browser and kept nowhere."""
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    answer["Cache-Control"] = "no-store, private"
    return answer


def perform(request: HttpRequest, call: Callable[[], Any], *, done: Any, to: str, key: Any = None) -> HttpResponse:
    """Make the one call of a button and go back with what happened: ``done``, or the refusal in words."""
    try:
        call()
    except DomainError as error:
        messages.error(request, error.sentence)
    else:
        messages.success(request, str(done))
    return redirect(to) if key is None else redirect(to, key)


def perform_with_reason(
    request: HttpRequest, form: Form, call: Callable[[str], Any], *, done: Any, to: str, key: Any
) -> HttpResponse:
    """The same of a button with a reason, the one field of ``form``; whoever gave none is asked for it."""
    if not form.is_valid():
        messages.error(request, gettext("Say why, then try again."))
        return redirect(to, key)
    return perform(request, lambda: call(form.cleaned_data["reason"]), done=done, to=to, key=key)


def invited(request: HttpRequest, user: User, *, back: str, key: Any) -> HttpResponse:
    """The link by which a new person chooses a password, shown this once."""
    link = request.build_absolute_uri(invitation_path(user))
    context = {"person": user, "link": link, "days": invitation_days(), "back": back, "key": key}
    return render(request, "people/invited.html", context)


def link_shown(request: HttpRequest, call: Callable[[], User], *, back: str, key: Any) -> HttpResponse:
    """Make the call and show the link of its person; a refusal goes back to the record in words."""
    try:
        return invited(request, call(), back=back, key=key)
    except DomainError as error:
        messages.error(request, error.sentence)
    return redirect(back, key)


def submitted(request: HttpRequest, form: Form, call: Callable[[], R]) -> tuple[R | None, DomainError | None]:
    """The row that a valid form made, or the refusal to show above the form."""
    if request.method != "POST" or not form.is_valid():
        return None, None
    try:
        return call(), None
    except DomainError as error:
        return None, error


def stepped(
    request: HttpRequest,
    form: Form,
    call: Callable[[], Any],
    *,
    done: Any,
    title: Any,
    back: str,
    key: Any,
    **context: Any,
) -> HttpResponse:
    """A form of one step on a record: the call, and back to the record with what happened.

    Wrong input and a refusal come back on a page of the form with what was typed; the same page answers a GET.
    ``context``: ``template``, ``submit``, ``danger``, ``multipart``, ``notes`` and what else the template shows.
    """
    template = context.pop("template", "contracts/form.html")
    _made, refusal = submitted(request, form, call)
    if request.method == "POST" and form.is_valid() and refusal is None:
        messages.success(request, str(done))
        return redirect(back) if key is None else redirect(back, key)
    page = {"form": form, "refusal": refusal, "title": title, "back": back, "key": key, **context}
    return render(request, template, page, status=409 if refusal else 200)
