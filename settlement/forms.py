"""Forms of claims and books: they turn input into plain values, the actions decide."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.form_fields import RowField
from config.periods import parse_month
from contracts.models import Contract, Provider
from settlement.models import Claim

MAX_UPLOAD = 32 * 1024 * 1024


class MonthField(forms.CharField):
    """A month written YYYY-MM; its value is the first day."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"type": "month", "placeholder": "2025-11"})
        super().__init__(**{"widget": widget, "max_length": 7, **kwargs})

    def clean(self, value: Any) -> Any:
        """Raises: ValidationError for what is no month."""
        text = super().clean(value)
        try:
            return parse_month(text) if text else None
        except ValueError as error:
            raise forms.ValidationError(_("Write the month as year and month, for example 2025-11.")) from error


class ClaimFileForm(forms.Form):
    """A spreadsheet with the visits of a month."""

    file = forms.FileField(
        label=_("Spreadsheet of visits or invoice"),
        help_text=_(
            "CSV or XLSX whose first row names the columns (take the template), or an electronic invoice: EN 16931, "
            "UBL 2.1, XML."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx,.xml"}),
    )

    def clean_file(self) -> Any:
        """Refuse what is too large before it is read."""
        file = self.cleaned_data["file"]
        if file.size > MAX_UPLOAD:
            raise forms.ValidationError(_("The file is larger than 32 megabytes. Send one month a file."))
        return file


class ClaimUploadForm(ClaimFileForm):
    """A new claim from a spreadsheet: for which contract and month."""

    contract = RowField(label=_("Contract"), queryset=Contract.objects.none())
    period = MonthField(label=_("Month of the services"))

    field_order = ("contract", "period", "file")

    def __init__(self, *args: Any, provider: Provider, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["contract"]
        rows = Contract.objects.filter(provider=provider).exclude(status__in=["pending", "cancelled"])
        field.queryset = rows.select_related("organisation").order_by("-valid_from", "-id")
        field.label_from_instance = lambda row: f"{row.number} · {row.organisation}"


class EvidenceForm(forms.Form):
    """A file that proves something."""

    file = forms.FileField(label=_("File"))

    def clean_file(self) -> Any:
        """Refuse what is too large before it is read."""
        file = self.cleaned_data["file"]
        if file and file.size > MAX_UPLOAD:
            raise forms.ValidationError(_("The file is larger than 32 megabytes. Send a smaller one."))
        return file


class AppealForm(EvidenceForm):
    """Why a decision is wrong, with evidence if there is any."""

    reason = forms.CharField(
        label=_("Why the decision is wrong"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Name the facts and the document that shows them. The office answers in writing."),
    )
    field_order = ("reason", "file")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].required = False
        self.fields["file"].label = _("Evidence (a file, if you have one)")


class TermForm(AppealForm):
    """Why a claim came late, with evidence if there is any."""

    reason = forms.CharField(
        label=_("Good cause for being late"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Name the document and its date, and no person: the provider and the auditor read it."),
    )


class SettlementFormForm(EvidenceForm):
    """Whose form of which month, the spreadsheet of what it asks for, and what comes out."""

    provider = RowField(label=_("Provider"), queryset=Provider.objects.none())
    period = MonthField(label=_("Month of the services"))
    file = forms.FileField(
        label=_("Spreadsheet"),
        help_text=_("CSV or XLSX; the first row names the columns (take the template)."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx"}),
    )
    kind = forms.ChoiceField(
        label=_("What to make"),
        choices=[("pdf", _("PDF to print and sign")), ("xlsx", _("Spreadsheet (XLSX)"))],
        widget=forms.RadioSelect,
        initial="pdf",
    )
    field_order = ("provider", "period", "file", "kind")

    def __init__(self, *args: Any, organisation: Organisation, from_claims: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        provider: Any = self.fields["provider"]
        known = Q(pk__in=Contract.objects.filter(organisation=organisation).values("provider"))
        claiming = Q(pk__in=Claim.objects.filter(organisation=organisation).values("provider"))
        provider.queryset = Provider.objects.filter(known | claiming).order_by("name", "id")
        if from_claims:
            self.fields["file"].required = False
            self.fields["file"].label = _("Spreadsheet, if the form shall not be made of the claims judged here")


class AdjudicationForm(forms.Form):
    """Which month is judged."""

    period = MonthField(label=_("Month"))


class BalanceForm(forms.Form):
    """The day of a trial balance."""

    on = forms.DateField(label=_("As of the end of"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))


def day_asked(form: BalanceForm, otherwise: date) -> date:
    """The valid day of a form, else another."""
    return form.cleaned_data["on"] if form.is_bound and form.is_valid() else otherwise
