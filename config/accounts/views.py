"""Sign-in and sign-out."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpResponse

from config.accounts.forms import SignInForm
from config.accounts.languages import remember_language


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
