"""Forms of facts that checks of claims ask for. People name rows by codes and write days as they count them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.form_fields import NumberField, RowField, SizedFileField, WholeField, moment_field, money_field
from config.office.storage import GivenFile
from contracts.models import Contract, Provider, ProviderAccount, Service
from contracts.models.check_facts import WEEKDAYS
from settlement.line_queries import recipients_of_claim
from settlement.models import Claim, VerificationResult
from vouchers.forms import in_zone
from vouchers.models import OtherFunding, Recipient, Redemption
from vouchers.queries import mask_name


def named(rows: QuerySet[Any], label: Any, *, by: str = "code", required: bool = True) -> forms.ModelChoiceField[Model]:
    """A row that the person names by its code."""
    message = _("There is no such code. Compare it with the register.")
    field: forms.ModelChoiceField[Model] = forms.ModelChoiceField(
        queryset=rows,
        to_field_name=by,
        label=label,
        required=required,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"invalid_choice": message},
    )
    return field


def day(label: Any, *, required: bool = True) -> forms.DateField:
    """A day from the calendar of the browser."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=required, widget=widget)


class FactForm(forms.Form):
    """A fact of one organisation."""

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organisation = organisation
        self.add_fields()

    def add_fields(self) -> None:
        """Fields, some of which know the organisation's rows."""

    def add_range(self) -> None:
        """First and last day, the last one optional."""
        self.fields["valid_from"] = day(_("First day"))
        self.fields["valid_to"] = day(_("Last day (if known)"), required=False)

    def clean_valid_to(self) -> date | None:
        """The last day that counts becomes the first one after it."""
        last: date | None = self.cleaned_data["valid_to"]
        return last + timedelta(days=1) if last and last < date.max else None

    @property
    def services(self) -> QuerySet[Service]:
        """The organisation's catalogue."""
        return Service.objects.filter(organisation=self.organisation)

    @property
    def recipients(self) -> QuerySet[Recipient]:
        """The organisation's register."""
        return Recipient.objects.filter(organisation=self.organisation)


class ScheduleForm(FactForm):
    """Weekdays off."""

    def add_fields(self) -> None:
        """Provider, weekdays, range."""
        self.fields["provider"] = named(Provider.objects.all(), _("Code of the provider"))
        self.fields["weekdays_off"] = forms.TypedMultipleChoiceField(
            label=_("Days off"), choices=WEEKDAYS, coerce=int, widget=forms.CheckboxSelectMultiple
        )
        self.add_range()


class AccountForm(FactForm):
    """A new account, at a bank or at Stripe."""

    def add_fields(self) -> None:
        """Provider, kind, account, reason, paper."""
        self.fields["provider"] = named(Provider.objects.all(), _("Code of the provider"))
        self.fields["kind"] = forms.ChoiceField(
            label=_("Kind of account"), choices=ProviderAccount.KINDS, initial=ProviderAccount.BANK
        )
        self.fields["iban"] = forms.CharField(
            label=_("New account"),
            max_length=42,
            help_text=_(
                "An IBAN, or the number that Stripe gives (acct_…). It counts from today. Payments to the provider "
                "wait until another person has the account confirmed and lifts the hold."
            ),
        )
        self.fields["reason"] = forms.CharField(label=_("Who asked for the change, and how"), max_length=300)
        self.fields["paper"] = SizedFileField(
            label=_("The provider's letter"),
            help_text=_("A scan or a photo. The person who confirms the account reads it."),
        )

    def clean_paper(self) -> GivenFile:
        """The file as it is kept."""
        file = self.cleaned_data["paper"]
        return GivenFile(file.name, file.read(), file.content_type or "application/octet-stream")


class RelationForm(FactForm):
    """A conflict of interest."""

    def add_fields(self) -> None:
        """Person of the office, provider, reason, range."""
        people = User.objects.filter(memberships__organisation=self.organisation).distinct()
        self.fields["user"] = named(people, _("User name of the person"), by="username")
        self.fields["provider"] = named(Provider.objects.all(), _("Code of the provider"))
        self.fields["reason"] = forms.CharField(label=_("How they are related"), max_length=300)
        self.add_range()


class EvidenceForm(FactForm):
    """A service whose claims need a signed act."""

    def add_fields(self) -> None:
        """Service and range."""
        self.fields["service"] = named(self.services, _("Code of the service"))
        self.add_range()


class ExclusionForm(FactForm):
    """Two services that exclude each other."""

    def add_fields(self) -> None:
        """Both and the reason."""
        self.fields["service"] = named(self.services, _("Code of the service"))
        self.fields["other"] = named(self.services, _("Code of the other service"))
        self.fields["reason"] = forms.CharField(label=_("Reason, with the act"), max_length=300)


class GrantItemForm(FactForm):
    """An item of a grant's budget."""

    def add_fields(self) -> None:
        """Contract, service, amount, range."""
        grants = Contract.objects.filter(organisation=self.organisation, basis="grant")
        self.fields["contract"] = named(grants, _("Number of the grant agreement"), by="number")
        self.fields["service"] = named(self.services, _("Code of the service"))
        self.fields["amount"] = NumberField(
            label=_("Amount of the item"), min_value=Decimal("0.01"), max_digits=16, decimal_places=2
        )
        self.add_range()


class FundingForm(FactForm):
    """Somebody else pays."""

    def add_fields(self) -> None:
        """Recipient, service, payer, paper, range."""
        self.fields["recipient"] = named(self.recipients, _("Code of the recipient"))
        self.fields["service"] = named(self.services, _("Code of the service"))
        self.fields["source"] = forms.ChoiceField(label=_("Who pays"), choices=OtherFunding.SOURCES)
        self.fields["reference"] = forms.CharField(label=_("Document"), max_length=200)
        self.add_range()


class StateTaskForm(FactForm):
    """A provider serves under a state task."""

    def add_fields(self) -> None:
        """Provider, service, recipient or all, paper, range."""
        self.fields["provider"] = named(Provider.objects.all(), _("Code of the provider"))
        self.fields["service"] = named(self.services, _("Code of the service"))
        self.fields["recipient"] = named(self.recipients, _("Code of the recipient (empty: everybody)"), required=False)
        self.fields["reference"] = forms.CharField(label=_("Document"), max_length=200)
        self.add_range()


class EmergencyForm(FactForm):
    """A service begun before its papers."""

    def add_fields(self) -> None:
        """Recipient, service, days."""
        self.fields["recipient"] = named(self.recipients, _("Code of the recipient"))
        self.fields["service"] = named(self.services, _("Code of the service"))
        self.fields["began_on"] = day(_("Begun on"))
        self.fields["act_on"] = day(_("Day of the act (if there is one)"), required=False)


class ComplaintForm(FactForm):
    """What a recipient complains of."""

    def add_fields(self) -> None:
        """Visit and words."""
        visits = Redemption.objects.filter(organisation=self.organisation)
        self.fields["redemption"] = named(visits, _("Code of the redemption"))
        self.fields["text"] = forms.CharField(
            label=_("What happened"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
        )


class ScanForm(FactForm):
    """When and how far from the address the recipient's code was read."""

    def add_fields(self) -> None:
        """Visit, moment, distance."""
        visits = Redemption.objects.filter(organisation=self.organisation)
        self.fields["redemption"] = named(visits, _("Code of the redemption"))
        self.fields["scanned_at"] = moment_field(_("When the code was read"))
        self.fields["distance_m"] = WholeField(
            label=_("Metres from the recipient's address (if known)"), min_value=0, required=False
        )

    def clean_scanned_at(self) -> datetime:
        """The clock is that of the office."""
        return in_zone(self.cleaned_data["scanned_at"], self.organisation.zone)


class AnswerForm(forms.Form):
    """The answer to a complaint."""

    answer = forms.CharField(label=_("Answer"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4}))


class ActForm(forms.Form):
    """The day of the act."""

    act_on = day(_("Day of the act"))


class DeclarationForm(forms.Form):
    """The provider's own invoice behind a claim."""

    document_number = forms.CharField(label=_("Number of your invoice"), max_length=64)
    total = money_field(_("Total of the invoice without VAT"), required=False)
    vat = money_field(_("VAT that the invoice adds"), required=False)


class CertificateHolderField(RowField):
    """A recipient by what its provider sees: the certificate of the claim, with a name for a check."""

    def label_from_instance(self, obj: Any) -> str:
        """Certificate and masked name."""
        return f"{obj.certificate_number}, {mask_name(obj.name)}"


class FeeReportForm(forms.Form):
    """What was collected from a recipient of a claim."""

    def __init__(self, *args: Any, claim: Claim, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        holders = recipients_of_claim(claim)
        self.fields["recipient"] = CertificateHolderField(holders, label=_("Certificate"))
        self.fields["collected"] = money_field(_("Collected for the month"))


class SignedActForm(forms.Form):
    """The act that the recipients signed."""

    file = forms.FileField(label=_("Signed act (PDF or photo)"))


class VerificationForm(forms.Form):
    """What a recipient says of a visit that was drawn."""

    outcome = forms.ChoiceField(label=_("What was learnt"), choices=VerificationResult.OUTCOMES)
    checked_on = day(_("Verified on"))
    note = forms.CharField(
        label=_("In words"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Whom you asked, how, and what they said. Finance and the auditor read it."),
    )
