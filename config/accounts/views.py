"""Sign-in, sign-out, the first password, and the keys with which a person's programs call the interface."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, LoginView, LogoutView, PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from config.accounts.access import Access, access_of, requires
from config.accounts.actions import create_token, revoke_token
from config.accounts.forms import PasswordForm, SignInForm, TokenForm
from config.accounts.languages import remember_language
from config.accounts.middleware import CHOSEN
from config.accounts.people_actions import choose_password
from config.accounts.tokens import tokens_of
from config.errors import NotFound


class SignIn(LoginView):
    """The first page. A person who has chosen no language on this computer gets their own."""

    authentication_form = SignInForm
    template_name = "registration/login.html"
    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        """Let in and set the language."""
        response = super().form_valid(form)
        language = form.get_user().language
        if settings.LANGUAGE_COOKIE_NAME not in self.request.COOKIES and language in dict(settings.LANGUAGES):
            remember_language(response, language)
        return response


class SignOut(LogoutView):
    """POST only."""


class Welcome(PasswordResetConfirmView):
    """The link of an invitation: the person chooses a password; the link works once."""

    form_class = PasswordForm
    template_name = "registration/welcome.html"
    success_url = reverse_lazy("login")

    def form_valid(self, form: Any) -> HttpResponse:
        """Keep the password and go to sign-in, which shows that both belong together."""
        person = form.user
        choose_password(
            user=person,
            password=form.cleaned_data["new_password1"],
            actor=person.as_actor(),
            at=access_of(person).now(),
        )
        del self.request.session[INTERNAL_RESET_SESSION_TOKEN]
        messages.success(self.request, _("The password is kept. Sign in with it now."))
        return redirect(self.get_success_url())


@never_cache
@requires("tokens.own")
def tokens(request: HttpRequest) -> HttpResponse:
    """The reader's keys; a new one shows its secret here once and never again."""
    access: Access = request.access  # type: ignore[attr-defined]
    form = TokenForm(request.POST or None, user=access.user)
    secret = ""
    if request.method == "POST" and form.is_valid():
        _token, secret = create_token(
            user=access.user,
            organisation=form.cleaned_data["organisation"],
            title=form.cleaned_data["title"],
            # Wall clock: a key of a demonstration that plays in the past must end too.
            expires_at=timezone.now() + form.lasts(),
            actor=access.actor,
            at=access.now(),
        )
        form = TokenForm(user=access.user)
    context = {"form": form, "secret": secret, "tokens": tokens_of(access.user), "now": timezone.now()}
    return render(request, "registration/tokens.html", context, status=400 if form.errors else 200)


@require_POST
@requires("tokens.own")
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a key back. Raises: NotFound."""
    access: Access = request.access  # type: ignore[attr-defined]
    revoke_token(user=access.user, token_id=pk, actor=access.actor, at=access.now())
    messages.success(request, _("The key is taken back. A program that still uses it gets no answer."))
    return redirect("tokens")


@login_required
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Work for another of one's municipalities: the pages show its records from now on."""
    access: Access = request.access  # type: ignore[attr-defined]
    asked = request.POST.get("organisation", "")
    found = next((row for row in access.organisations if str(row.pk) == asked), None)
    if found is None:
        raise NotFound()
    request.session[CHOSEN] = found.pk
    messages.success(request, _("You now work with «%(name)s».") % {"name": found.name})
    return redirect("home")
