"""Forms of sign-in, of people and of their keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.utils.translation import gettext_lazy as _

from config.accounts.access import access_of
from config.accounts.models import Organisation, User
from config.roles import OFFICE_ROLES, ROLE_TITLES


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


class PasswordForm(SetPasswordForm):
    """A password chosen by the person, twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].label = _("Your password")
        self.fields["new_password1"].help_text = _(
            "At least 12 characters. Several words in a row are easy to remember."
        )
        self.fields["new_password2"].label = _("The same password once more")
        self.fields["new_password2"].help_text = ""


class RolesForm(forms.Form):
    """What a person of an office may do."""

    roles = forms.MultipleChoiceField(
        label=_("Roles"),
        choices=[(role, title) for role, title in ROLE_TITLES.items() if role in OFFICE_ROLES],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one role. To let nobody in, close the access instead.")},
    )


class InvitationForm(forms.Form):
    """A person to invite."""

    display_name = forms.CharField(label=_("Name of the person"), max_length=120)
    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        help_text=_("The person signs in with it. Letters, digits and . @ + - _ only."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}),
    )
    language = forms.ChoiceField(label=_("Language of the pages"), choices=settings.LANGUAGES)


class PersonForm(InvitationForm, RolesForm):
    """A person of an office to invite."""

    field_order = ["display_name", "username", "language", "roles"]


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
        keys = [row.pk for row in access_of(user).organisations]
        choices = Organisation.objects.filter(pk__in=keys).order_by("name")
        self.fields["organisation"].queryset = choices  # type: ignore[attr-defined]

    def lasts(self) -> timedelta:
        """How long the key works."""
        return timedelta(days=self.cleaned_data["days"])
