"""Forms of sign-in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _


class SignInForm(AuthenticationForm):
    """User name and password; the refusal says what to do next."""

    error_messages = {
        "invalid_login": _(
            "This user name and password do not belong together. Check the keyboard language and capital letters."
        ),
        "inactive": _("This access is closed. Ask the administrator of your organisation."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("User name")
        self.fields["password"].label = _("Password")
