"""Forms of the bank's pages: parts of lines, the columns of a table, the monthly act."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from config.form_fields import money_field
from config.money import to_minor
from config.templatetags.show import iban as in_groups
from settlement.actions.line_parts import CARDS, OPEN, Part
from settlement.finance_forms import month_of_text
from settlement.models import Payment
from settlement.statement_words import PART_WORDS


class SplitForm(forms.Form):
    """A part of an outgoing bank line for one payment, or for a part of it."""

    payment: forms.ModelChoiceField[Payment] = forms.ModelChoiceField(
        label=_("Reference of the payment"),
        queryset=Payment.objects.none(),
        to_field_name="reference",
        widget=forms.TextInput(attrs={"list": "offered-payments", "autocomplete": "off"}),
        error_messages={"invalid_choice": _("No payment with this reference waits for the bank. Look at it again.")},
    )
    amount = money_field(_("Sum of this part"))
    reason = forms.CharField(label=_("Why they belong together"), max_length=300)

    def __init__(self, *args: Any, can: QuerySet[Payment], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["payment"]
        field.queryset = can


class ToldForm(forms.Form):
    """An earlier statement told of the line: nothing else is asked."""


class PartForm(forms.Form):
    """A part of an incoming bank line; an untouched row is none."""

    kind = forms.ChoiceField(label=_("What it is"), choices=[("", "—"), *PART_WORDS.items()], required=False)
    number = forms.CharField(label=_("Number, reference or words"), max_length=300, required=False)
    amount = money_field(_("Sum of this part"), required=False)

    def clean(self) -> dict[str, Any]:
        """A row that says something says all of it; what stays open and money of cards have no number."""
        found = super().clean() or {}
        if not any(found.values()) and not self.errors:
            return found
        for name in ("kind", "amount", "number"):
            is_without = name == "number" and found.get("kind") in (OPEN, CARDS)
            if not found.get(name) and name not in self.errors and not is_without:
                self.add_error(name, _("Fill this in."))
        return found


PartFormSet = forms.formset_factory(PartForm, extra=3, max_num=40)


def parts_said(rows: Any) -> list[Part]:
    """Parts of a valid set of rows."""
    said = [row.cleaned_data for row in rows if any(row.cleaned_data.values())]
    return [Part(row["kind"], row["number"].strip(), to_minor(row["amount"])) for row in said]


LAYOUT_LABELS = {
    "date": _("Day"),
    "amount": _("Sum with its sign"),
    "debit": _("Sum that went out"),
    "credit": _("Sum that came in"),
    "name": _("Name of the other side"),
    "account": _("Account of the other side"),
    "text": _("Purpose of the payment"),
    "end_to_end": _("Our payment reference"),
    "bank_reference": _("Number of the record at the bank"),
    "currency": _("Currency"),
    "balance": _("Balance after the record"),
}


class LayoutForm(forms.Form):
    """What the columns of a bank's table mean: a choice of headings for each field."""

    bank = forms.CharField(label=_("Name of the bank"), max_length=100)
    iban = forms.ChoiceField(label=_("Our account"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, headings: Sequence[str], accounts: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["iban"], accounts)
        choices = [("", "—"), *((heading, heading) for heading in headings if heading)]
        for name, label in LAYOUT_LABELS.items():
            self.fields[name] = forms.ChoiceField(label=label, choices=choices, required=False)

    def columns(self) -> dict[str, str]:
        """Field → heading."""
        return {name: self.cleaned_data[name] for name in LAYOUT_LABELS if self.cleaned_data[name]}


class BankActForm(forms.Form):
    """For which account and month the act is drawn up."""

    iban = forms.ChoiceField(label=_("Our account"), widget=forms.RadioSelect)
    month = forms.CharField(label=_("Month"), widget=forms.TextInput(attrs={"type": "month"}))

    def __init__(self, *args: Any, accounts: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["iban"], accounts)

    def clean_month(self) -> date:
        """Raises: ValidationError for what is no month."""
        month = month_of_text(self.cleaned_data["month"])
        if month is None:
            raise forms.ValidationError(_("Write the month as year and month, for example 2025-11."))
        return month


def _offer(field: Any, accounts: Iterable[str]) -> None:
    field.choices = [(account, in_groups(account)) for account in sorted(accounts)]
