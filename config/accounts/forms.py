"""Forms of sign-in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User


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


class TokenForm(forms.Form):
    """A new key of a program."""

    title = forms.CharField(
        label=_("What the key is for"), max_length=80, help_text=_("For example: the accounting program of Turbota.")
    )
    organisation = forms.ModelChoiceField(
        label=_("Organisation"), queryset=Organisation.objects.none(), empty_label=None
    )
    days = forms.TypedChoiceField(
        label=_("The key works for"), coerce=int, choices=[(30, _("30 days")), (90, _("90 days")), (365, _("a year"))]
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Organisation.objects.filter(memberships__user=user).distinct()
        # Who works for no office, a provider, may serve any of them.
        choices = own if own.exists() else Organisation.objects.all()
        self.fields["organisation"].queryset = choices.order_by("name")  # type: ignore[attr-defined]

    def lasts(self) -> timedelta:
        """How long the key works."""
        return timedelta(days=self.cleaned_data["days"])
