"""The case worker opens a recipient's own pages, makes a new link, ends the access."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from config.accounts.access import requires
from config.accounts.forms import InvitationForm
from config.accounts.models import User
from config.accounts.people_actions import renew_visitor_password
from config.errors import NotFound
from contracts.views.pages import access_of, invited, link_shown, one_of, perform, submitted
from vouchers.actions import recipient_access
from vouchers.models import Recipient


def _recipient(request: HttpRequest, pk: int) -> Recipient:
    rows = Recipient.objects.filter(organisation=access_of(request).office())
    return one_of(rows.select_related("organisation", "user"), pk)


@never_cache
@requires("recipients.edit")
def access_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Give access; the link is shown here once."""
    access, recipient = access_of(request), _recipient(request, pk)
    form = InvitationForm(request.POST or None, initial={"display_name": recipient.name})
    user, refusal = submitted(
        request,
        form,
        lambda: recipient_access.give_access(
            recipient=recipient, actor=access.actor, at=access.now(), **form.cleaned_data
        ),
    )
    if user is not None:
        return invited(request, user, back="vouchers:recipient", key=pk)
    context = {
        "form": form,
        "refusal": refusal,
        "title": _("Open the own pages to the recipient"),
        "recipient": recipient,
        "back": "vouchers:recipient",
        "key": pk,
        "submit": _("Give access"),
    }
    return render(request, "vouchers/form.html", context, status=409 if refusal else 200)


@never_cache
@require_POST
@requires("recipients.edit")
def access_link(request: HttpRequest, pk: int) -> HttpResponse:
    """End the password and show a new link once."""
    access, recipient = access_of(request), _recipient(request, pk)
    if recipient.user is None:
        raise NotFound()
    user: User = recipient.user

    return link_shown(
        request,
        lambda: renew_visitor_password(
            user=user, organisation=recipient.organisation, actor=access.actor, at=access.now()
        ),
        back="vouchers:recipient",
        key=pk,
    )


@require_POST
@requires("recipients.edit")
def access_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End the access."""
    access, recipient = access_of(request), _recipient(request, pk)
    return perform(
        request,
        lambda: recipient_access.end_access(recipient=recipient, actor=access.actor, at=access.now()),
        done=_("The access is ended. Whoever had it opens these pages no more."),
        to="vouchers:recipient",
        key=pk,
    )
