"""Forms of the bank's pages: parts of lines, the columns of a table, the monthly act."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.errors import DomainError
from config.form_fields import money_field
from config.money import to_minor
from config.templatetags.show import iban as in_groups
from settlement.actions.line_parts import CARDS, OPEN, TAKERS, Part
from settlement.finance_forms import month_of_text
from settlement.models import Payment
from settlement.statement_words import PART_WORDS

MAX_UPLOAD = 64 * 1024 * 1024


class StatementUploadForm(forms.Form):
    """A file of the bank; where the office has several accounts also of which one a table is."""

    file = forms.FileField(
        label=_("Statement file"),
        help_text=_(
            "What the bank gives: camt.053, camt.054, MT940, a table (CSV), or its answer to our payment file "
            "(pain.002). The same file twice changes nothing."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".xml,.sta,.mt940,.940,.txt,.csv"}),
    )
    account = forms.ChoiceField(
        label=_("Our account, for a table (CSV)"),
        help_text=_("A table does not say of which account it is. Other files do; leave it empty for them."),
        widget=forms.RadioSelect,
        required=False,
    )

    def __init__(self, *args: Any, accounts: Collection[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["account"], accounts)
        if len(accounts) < 2:
            del self.fields["account"]

    def clean_file(self) -> Any:
        """Refuse what is too large before it is read."""
        file = self.cleaned_data["file"]
        if file.size > MAX_UPLOAD:
            raise forms.ValidationError(_("The file is larger than 64 megabytes. Ask the bank for shorter periods."))
        return file


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
    """A part of an incoming bank line of ``office``; an untouched row is none."""

    kind = forms.ChoiceField(label=_("What it is"), choices=[("", "—"), *PART_WORDS.items()], required=False)
    number = forms.CharField(label=_("Number, RF code or words"), max_length=300, required=False)
    amount = money_field(_("Sum of this part"), required=False)

    def __init__(self, *args: Any, office: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.office = office

    def clean(self) -> dict[str, Any]:
        """A row that says something says all of it, and its document is there; what stays open and money of cards have
        no number.
        """
        found = super().clean() or {}
        if not any(found.values()) and not self.errors:
            return found
        for name in ("kind", "amount", "number"):
            is_without = name == "number" and found.get("kind") in (OPEN, CARDS)
            if not found.get(name) and name not in self.errors and not is_without:
                self.add_error(name, _("Fill this in."))
        if found.get("kind") in TAKERS and found.get("number"):
            self._look_up(found["kind"], found["number"])
        return found

    def _look_up(self, kind: str, number: str) -> None:
        try:
            TAKERS[kind].find(self.office, number)
        except DomainError as error:
            self.refuse("number", error)

    def refuse(self, field: str, error: DomainError) -> None:
        """Put a refusal beside a field."""
        self.add_error(field, forms.ValidationError(error.sentence, code=error.code))


PartFormSet = forms.formset_factory(PartForm, extra=3, max_num=40)


def rows_said(rows: Any) -> list[PartForm]:
    """Rows of a valid set that say something."""
    return [row for row in rows if any(row.cleaned_data.values())]


def parts_said(rows: Any) -> list[Part]:
    """Parts of a valid set of rows."""
    said = [row.cleaned_data for row in rows_said(rows)]
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


# When a field is needed; the others may stay empty.
LAYOUT_NEEDS = {
    "date": _("Always needed."),
    "amount": _("Needed where one column holds all sums. Then the next two stay empty."),
    "debit": _("Needed, with the next one, where the sums stand in two columns."),
    "credit": _("Needed, with the one before, where the sums stand in two columns."),
}


class LayoutForm(forms.Form):
    """What the columns of a bank's table mean: a choice of headings for each field."""

    bank = forms.CharField(label=_("Name of the bank"), max_length=100)
    iban = forms.ChoiceField(label=_("Our account"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, headings: Sequence[str], accounts: Collection[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["iban"], accounts)
        if len(accounts) > 1:
            self.fields["iban"].help_text = _("With the next table you are asked again which account it is of.")
        choices = [("", "—"), *((heading, heading) for heading in headings if heading)]
        for name, label in LAYOUT_LABELS.items():
            help_text = LAYOUT_NEEDS.get(name, _("May stay empty."))
            self.fields[name] = forms.ChoiceField(label=label, choices=choices, required=False, help_text=help_text)

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
