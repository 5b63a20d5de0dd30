"""Forms of the contracts app: they turn input into plain values, the actions decide."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.form_fields import (
    FilesField,
    NumberField,
    RowField,
    WholeField,
    day_after,
    day_field,
    money_field,
    rate_field,
    units_field,
)
from config.law_words import value_words
from config.periods import Period
from config.templatetags.show import amount
from contracts.actions.norms import NormHoursMissing
from contracts.actions.parameters import Source
from contracts.code_lists import offer_codes
from contracts.models import BudgetLine, ClearingAgreement, Parameter, Provider, Service, Tariff, Territory
from contracts.models.parameters import UNVERIFIED
from contracts.rules.norm_cost import AdministrativeCosts, CostItem, NormCostFacts, StaffPay
from contracts.rules.parameter_values import Shape, ValueShape

PER_UNIT = {"hour": _("per hour"), "visit": _("per visit"), "day": _("per day"), "trip": _("per trip")}


def past_reason_field(*, required: bool = False) -> forms.CharField:
    """Why something about days already served is known only now."""
    return forms.CharField(
        label=_("Why this is known only now"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=1000,
        required=required,
        help_text=_(
            "Only for days already served: which paper came to light, or which mistake was found. Another person "
            "approves it; closed months are then put right by a correction. Name no person."
        ),
    )


class NormChoiceField(RowField):
    """A norm cost by its service, price, unit and days."""

    def label_from_instance(self, obj: Any) -> str:
        """«Home care — 96.54 ₴ per hour, from 01.01.2025»."""
        words = {
            "service": obj.service.name,
            "rate": amount(obj.unit_rate, obj.organisation.currency),
            "unit": PER_UNIT[obj.service.unit],
            "first": date_format(obj.valid_from, "SHORT_DATE_FORMAT"),
        }
        text = gettext("%(service)s — %(rate)s %(unit)s, from %(first)s") % words
        if last := Period(obj.valid_from, obj.valid_to).last_day:
            text += " " + gettext("to %(day)s") % {"day": date_format(last, "SHORT_DATE_FORMAT")}
        return ", ".join([text, *(str(part) for part in (obj.territory, obj.recipient_class) if part)])


class NormCostForm(forms.Form):
    """Components of a norm cost."""

    service = RowField(label=_("Service"), queryset=Service.objects.none())
    territory = RowField(label=_("Territory (empty: every one)"), queryset=Territory.objects.none(), required=False)
    pay_month = money_field(_("Monthly pay of main staff"))
    positions = NumberField(label=_("Positions of main staff"), initial=1, min_value=0, max_digits=9)
    auxiliary_pay = money_field(_("Monthly pay of auxiliary staff"), required=False)
    hours_month = NumberField(label=_("Working hours in a month"), initial=167, min_value=1, max_value=744)
    utilisation = NumberField(
        label=_("Share of contact time (0.80 is 80 percent)"), initial=Decimal("0.80"), min_value=0, max_value=1
    )
    hours_per_unit = NumberField(
        label=_("Working hours of one unit"),
        min_value=Decimal("0.01"),
        max_value=744,
        decimal_places=2,
        required=False,
        help_text=_("Only when the service is counted in days, visits or trips."),
    )
    purchases = money_field(_("Goods and works per unit"), initial=0)
    other_direct = money_field(_("Other direct costs per unit"), initial=0)
    administrative = money_field(_("Administrative costs in a month"))
    pay_base = money_field(_("Monthly pay of all main staff of the provider"))
    vat_exempt = forms.BooleanField(label=_("The service is exempt from value added tax"), initial=True, required=False)
    valid_from = day_field(_("In force from"))
    act = forms.CharField(label=_("Decision that approves it"), max_length=300)
    reason = past_reason_field()

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scope = {"organisation": organisation}
        self.fields["service"].queryset = Service.objects.filter(**scope).order_by("code")  # type: ignore[attr-defined]
        self.fields["territory"].queryset = Territory.objects.filter(**scope).order_by("name")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Hours of a unit are needed where the unit is none."""
        service = self.cleaned_data.get("service")
        asked = service is not None and service.unit != "hour" and "hours_per_unit" not in self.errors
        if asked and self.cleaned_data["hours_per_unit"] is None:
            self.add_error("hours_per_unit", str(NormHoursMissing.message))
        return self.cleaned_data

    def facts(self) -> NormCostFacts:
        """The components as the rule takes them."""
        data = self.cleaned_data
        staff = [StaffPay("", data["pay_month"], data["positions"])]
        if data["auxiliary_pay"]:
            staff.append(StaffPay("", data["auxiliary_pay"], auxiliary=True))
        return NormCostFacts(
            staff=tuple(staff),
            hours_month=data["hours_month"],
            utilisation=data["utilisation"],
            purchases=(CostItem("", data["purchases"]),),
            other_direct=(CostItem("", data["other_direct"]),),
            administrative=AdministrativeCosts(data["administrative"], data["pay_base"]),
            vat_exempt=data["vat_exempt"],
            hours_per_unit=None if data["service"].unit == "hour" else data["hours_per_unit"],
        )


class NormEndForm(forms.Form):
    """Until when a norm cost holds, and by which decision it ends."""

    last_day = day_field(_("Last day in force"))
    basis = forms.CharField(label=_("Decision that ends it"), max_length=300)


class NormWithdrawalForm(forms.Form):
    """Why a norm cost is withdrawn."""

    reason = forms.CharField(label=_("Reason"), max_length=300)


class ServiceForm(forms.Form):
    """Names of a service, its unit and its limits."""

    name_uk = forms.CharField(label=_("Name in Ukrainian"), max_length=255)
    name_ru = forms.CharField(label=_("Name in Russian"), max_length=255, required=False)
    name_en = forms.CharField(label=_("Name in English"), max_length=255, required=False)
    unit = forms.ChoiceField(label=_("Unit"), choices=Service.UNITS)
    granularity = units_field(_("Smallest part of a unit"), min_value=Decimal("0.001"))
    units_per_day_max = units_field(_("Units a day at most (empty: no limit)"), required=False)
    units_per_month_max = units_field(_("Units a month at most (empty: no limit)"), required=False)
    amount_per_year_max = money_field(_("Amount a year at most (empty: no limit)"), required=False)
    group_size_max = WholeField(label=_("People in a group at most (empty: no limit)"), min_value=1, required=False)
    free_for_all = forms.BooleanField(label=_("Free for everyone"), required=False)


class NewServiceForm(ServiceForm):
    """A service of one's own."""

    field_order = ["code", "name_uk", "name_ru", "name_en", "form"]

    code = forms.CharField(label=_("Code"), max_length=64)
    form = forms.ChoiceField(label=_("Form"), choices=Service.FORMS)


class ParameterForm(forms.Form):
    """A value of a parameter with its source."""

    value = forms.CharField(label=_("New value"), max_length=200)
    valid_from = day_field(
        _("In force from"), help_text=_("The present value ends the day before. Closed months stay as they are.")
    )
    act = forms.CharField(label=_("Act or decision"), max_length=300)
    article = forms.CharField(label=_("Article"), max_length=120, required=False)
    evidence = forms.ChoiceField(label=_("Evidence"), choices=Parameter.EVIDENCE)
    note = forms.CharField(label=_("Note"), widget=forms.Textarea(attrs={"rows": 3}), max_length=2000, required=False)
    reason = past_reason_field()

    def __init__(self, *args: Any, shape: ValueShape, unit: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        value = self.fields["value"]
        if shape.options:
            choices = [(option, value_words(option)) for option in shape.options]
            self.fields["value"] = forms.ChoiceField(label=value.label, choices=choices)
        elif shape.kind is Shape.MONTH_DAY:
            value.help_text = _("Day and month, for example 31.12.")
        elif unit:
            value.help_text = _(unit)

    def source(self) -> Source:
        """Where the value comes from."""
        data = self.cleaned_data
        return Source(data["act"], data["evidence"], data["article"], data["note"])


class ConfirmationForm(forms.Form):
    """Where an unverified value was found."""

    act = forms.CharField(label=_("Act or decision"), max_length=300)
    article = forms.CharField(label=_("Article"), max_length=120, required=False)
    evidence = forms.ChoiceField(
        label=_("Evidence"), choices=[row for row in Parameter.EVIDENCE if row[0] not in UNVERIFIED]
    )
    note = forms.CharField(label=_("Note"), widget=forms.Textarea(attrs={"rows": 3}), max_length=2000, required=False)

    def source(self) -> Source:
        """Where the value was found."""
        data = self.cleaned_data
        return Source(data["act"], data["evidence"], data["article"], data["note"])


class RefusalForm(forms.Form):
    """Why a proposal is taken back or refused."""

    reason = forms.CharField(label=_("Reason"), max_length=300)


class ProviderForm(forms.Form):
    """A provider to put on record."""

    code = forms.SlugField(label=_("Code"), max_length=64)
    title = forms.CharField(label=_("Name of the provider"), max_length=255)
    sector = forms.ChoiceField(label=_("Sector"), choices=Provider.SECTORS)
    iban = forms.CharField(label=_("Account number (IBAN)"), max_length=34, required=False)
    registration_code = forms.CharField(label=_("Registration code"), max_length=16, required=False)
    registered_on = day_field(_("Registered on"), required=False)
    vat_payer = forms.BooleanField(label=_("Pays value added tax"), required=False)


class TerritoryForm(forms.Form):
    """A part of the municipality."""

    code = forms.CharField(label=_("Code"), max_length=64)
    title = forms.CharField(label=_("Title"), max_length=255)
    kind = forms.ChoiceField(label=_("Kind"), choices=Territory.KINDS)
    parent = RowField(
        label=_("Part of (empty: of the municipality itself)"), queryset=Territory.objects.none(), required=False
    )

    def __init__(self, *args: Any, territories: QuerySet[Territory], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parent"].queryset = territories  # type: ignore[attr-defined]


class QualificationForm(forms.Form):
    """What a worker is qualified for."""

    services = forms.ModelMultipleChoiceField(
        label=_("Services the worker is qualified for"),
        queryset=Service.objects.none(),
        widget=forms.CheckboxSelectMultiple,
    )
    valid_from = day_field(_("Qualified from"))
    last_day = day_field(_("Last day (empty: no end)"), required=False)

    def __init__(self, *args: Any, services: QuerySet[Service], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["services"].queryset = services  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The last day is not before the first."""
        return _ordered_days(self)

    def values(self) -> dict[str, Any]:
        """As the action takes them."""
        data = {name: value for name, value in self.cleaned_data.items() if name != "last_day"}
        last = self.cleaned_data["last_day"]
        return data | {"services": list(data["services"]), "valid_to": last + timedelta(days=1) if last else None}


class WorkerForm(QualificationForm):
    """A worker of a provider."""

    field_order = ["code", "full_name", "services", "valid_from", "last_day"]

    code = forms.CharField(
        label=_("Code of the worker"),
        max_length=64,
        help_text=_("Visits name the worker by it. No other worker, of any provider, has the same."),
    )
    full_name = forms.CharField(label=_("Surname, first name, patronymic"), max_length=200)


class AppointmentForm(forms.Form):
    """A person who has access already."""

    username = forms.CharField(
        label=_("User name"), max_length=150, help_text=_("Of a person who signs in with the role of a provider.")
    )


class AdmissionForm(forms.Form):
    """From which day a provider is on the register."""

    from_date = day_field(_("On the register from"))


class SuspensionForm(forms.Form):
    """Why and from which day a provider may not serve."""

    from_date = day_field(_("Suspended from"))
    reason = forms.CharField(label=_("Reason"), max_length=300)


class ResumptionForm(forms.Form):
    """From which day a provider serves again."""

    to_date = day_field(_("Serves again from"))


class RegisterContractForm(forms.Form):
    """A contract with a provider of the register."""

    provider = RowField(label=_("Provider"), queryset=Provider.objects.none())
    budget_line = RowField(label=_("Budget line"), queryset=BudgetLine.objects.none())
    service = RowField(label=_("Service"), queryset=Service.objects.none())
    unit_rate = rate_field(_("Price of a unit"))
    units_ceiling = units_field(_("Units at most (empty: no limit)"), max_digits=16, required=False)
    ceiling = money_field(_("Amount at most (empty: no limit)"), required=False)
    valid_from = day_field(_("In force from"))
    valid_to = day_field(_("Last day (if known)"), required=False)

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scope = {"organisation": organisation}
        choices = {
            "provider": Provider.objects.filter(admitted_at__isnull=False).order_by("name"),
            "budget_line": BudgetLine.objects.filter(**scope).order_by("-year", "code"),
            "service": Service.objects.filter(**scope).order_by("code"),
        }
        for name, rows in choices.items():
            self.fields[name].queryset = rows  # type: ignore[attr-defined]

    def clean_valid_to(self) -> date | None:
        """The day after the last one, as ranges are kept."""
        last: date | None = self.cleaned_data["valid_to"]
        return day_after(last) if last else None


class AmendmentForm(forms.Form):
    """New terms of a service from a day."""

    service = RowField(label=_("Service"), queryset=Service.objects.none())
    unit_rate = rate_field(_("New price of a unit"))
    units_ceiling = units_field(_("Units at most (empty: no limit)"), max_digits=16, required=False)
    valid_from = day_field(_("In force from"))
    basis = forms.CharField(label=_("Ground: number and date of the additional agreement"), max_length=200)

    def __init__(self, *args: Any, services: QuerySet[Service], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["service"].queryset = services  # type: ignore[attr-defined]


class PastTermsForm(AmendmentForm):
    """The same for a day already served, with the reason."""

    reason = past_reason_field(required=True)


class TerminationForm(forms.Form):
    """The last day of a contract that ends early, and why."""

    last_day = day_field(_("Last day in force"))
    reason = forms.CharField(label=_("Reason"), max_length=300)


def _ordered_days(form: forms.Form) -> dict[str, Any]:
    first, last = form.cleaned_data.get("valid_from"), form.cleaned_data.get("last_day")
    if first and last and last < first:
        form.add_error("last_day", _("The last day is before the first one."))
    return form.cleaned_data


class TariffForm(forms.Form):
    """A public price of a provider."""

    service = RowField(label=_("Service"), queryset=Service.objects.none())
    payer_kind = forms.ChoiceField(label=_("Payer"), choices=Tariff.PAYERS)
    unit_rate = rate_field(_("Price of a unit"))
    valid_from = day_field(_("In force from"))
    last_day = day_field(_("Last day in force (empty: until further notice)"), required=False)
    basis = forms.CharField(label=_("Decision that approves it"), max_length=300)

    def __init__(self, *args: Any, services: QuerySet[Service], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["service"].queryset = services  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The last day is not before the first."""
        return _ordered_days(self)


class BudgetAmendmentForm(forms.Form):
    """The new amount of an appropriation, and the decision that changes it."""

    amount = money_field(_("New amount of the appropriation"))
    basis = forms.CharField(label=_("Decision that changes it"), max_length=300)


class BudgetLineForm(forms.Form):
    """An appropriation of a year."""

    code = forms.CharField(label=_("Code"), max_length=64)
    year = forms.IntegerField(label=_("Year"), min_value=2000, max_value=2100)
    title = forms.CharField(label=_("Name of the line"), max_length=255)
    programme = forms.CharField(label=_("Programme code"), max_length=64, required=False)
    economic_code = forms.CharField(label=_("Economic code"), max_length=16, required=False)
    source = forms.CharField(label=_("Source of money"), max_length=64, required=False)
    amount = money_field(_("Amount of the appropriation"))

    def __init__(self, *args: Any, jurisdiction: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_codes(self, "programme", jurisdiction=jurisdiction, table="tkpkmb", numbered=True)
        offer_codes(self, "economic_code", jurisdiction=jurisdiction, table="kekv", numbered=True)
        offer_codes(self, "source", jurisdiction=jurisdiction, table="budget_sources")


class MilestoneReportForm(forms.Form):
    """What was done towards a milestone, with its proofs."""

    text = forms.CharField(label=_("What was done"), widget=forms.Textarea(attrs={"rows": 5}), max_length=10000)
    proofs = FilesField(label=_("Files"), required=False)


class MilestoneJudgementForm(forms.Form):
    """Whether a milestone was met, and why."""

    outcome = forms.ChoiceField(
        label=_("Judgement"),
        choices=[("met", _("met")), ("partiallyMet", _("partly met")), ("notMet", _("not met"))],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reasons"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=10000,
        help_text=_("The provider reads them."),
    )


class ClearingAgreementForm(forms.Form):
    """An agreement with another municipality, in one direction."""

    direction = forms.ChoiceField(
        label=_("Which certificates"),
        choices=[
            ("out", _("our certificates are accepted there")),
            ("in", _("their certificates are accepted here")),
        ],
        widget=forms.RadioSelect,
    )
    other = RowField(label=_("Municipality"), queryset=Organisation.objects.none())
    norm = forms.ChoiceField(
        label=_("Refund up to the"),
        choices=ClearingAgreement.NORMS,
        help_text=_("What the contract of the provider pays beyond it stays with who buys the visits."),
    )
    territory = RowField(
        label=_("Guests here count as living in (empty: norm costs without a territory)"),
        queryset=Territory.objects.none(),
        required=False,
    )
    valid_from = day_field(_("In force from"))
    last_day = day_field(_("Last day (empty: no end)"), required=False)

    def __init__(self, *args: Any, office: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.office = office
        fields: Any = self.fields
        fields["other"].queryset = Organisation.objects.exclude(pk=office.pk).order_by("name")
        fields["territory"].queryset = Territory.objects.filter(organisation=office).order_by("name")

    def terms(self) -> dict[str, Any]:
        """What is agreed; the territory counts where this municipality buys the visits."""
        data = dict(self.cleaned_data)
        ours, other = data.pop("direction") == "out", data.pop("other")
        territory = None if ours else data["territory"]
        home, host = (self.office, other) if ours else (other, self.office)
        return data | {"home": home, "host": host, "territory": territory}


class LastDayForm(forms.Form):
    """A last day that still counts."""

    last_day = day_field(_("Last day"))
