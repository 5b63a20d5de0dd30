"""Forms of the vouchers app: they turn input into plain values, the actions decide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.form_fields import RowField, day_field, moment_field, money_field, units_field
from config.periods import Period, add_months, month_of
from contracts.code_lists import offer_codes
from contracts.models import BudgetLine, Provider, Service, Territory, Worker
from contracts.queries import lines_for_certificates
from vouchers.actions.assessments import FeeInputs
from vouchers.actions.plans import PlannedVolume
from vouchers.models import Absence, Certificate
from vouchers.rules.co_payment import FreeCategory
from vouchers.rules.income import FamilyMember, IncomeRecord

OTHERS = (1, 2, 3)
RELATIVES = [
    ("", _("nobody")),
    ("able", _("adult able to work")),
    ("unable", _("adult not able to work")),
    ("minor", _("child")),
]


def _choices(form: forms.Form, name: str, rows: Any) -> None:
    form.fields[name].queryset = rows  # type: ignore[attr-defined]


class RecipientForm(forms.Form):
    """A person to register."""

    full_name = forms.CharField(label=_("Surname, first name, patronymic"), max_length=200)
    birth_date = day_field(_("Date of birth"))
    tax_id = forms.CharField(label=_("Tax number (empty when there is none)"), max_length=12, required=False)
    territory = RowField(label=_("Territory"), queryset=Territory.objects.none())
    address = forms.CharField(label=_("Address"), max_length=300, required=False)
    phone = forms.CharField(label=_("Telephone"), max_length=40, required=False)
    free_category = forms.CharField(
        label=_("Ground for free services"),
        max_length=64,
        required=False,
        help_text=_("Special category of data: kept encrypted, every reading is recorded."),
    )

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choices(self, "territory", Territory.objects.filter(organisation=organisation).order_by("name"))
        offer_codes(self, "free_category", jurisdiction=organisation.jurisdiction, table="free_categories")


class NeedsForm(forms.Form):
    """The outcome of an assessment of needs."""

    assessed_on = day_field(_("Assessed on"))
    dependency_level = forms.CharField(label=_("Level of dependency"), max_length=32)
    findings = forms.CharField(
        label=_("Findings"),
        widget=forms.Textarea(attrs={"rows": 4}),
        required=False,
        help_text=_("Special category of data: kept encrypted, every reading is recorded."),
    )

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        services = Service.objects.filter(organisation=organisation).order_by("code")
        for number in OTHERS:
            self.fields[f"service{number}"] = RowField(
                label=_("Recommended service %(number)s") % {"number": number}, queryset=services, required=False
            )
            self.fields[f"units{number}"] = units_field(
                _("Units a month of service %(number)s") % {"number": number}, required=False
            )

    def facts(self) -> dict[str, Any]:
        """When, how dependent, what was found."""
        return {name: self.cleaned_data[name] for name in ("assessed_on", "dependency_level", "findings")}

    def recommended(self) -> list[dict[str, Any]]:
        """The services that the assessment recommends, by code."""
        data = self.cleaned_data
        return [
            {"service": data[f"service{n}"].code, "units_per_month": str(data[f"units{n}"] or "")}
            for n in OTHERS
            if data[f"service{n}"]
        ]


class FeeForm(forms.Form):
    """What a fee decision needs: dates, grounds, and the incomes of the window."""

    application_date = day_field(_("Date of the application"))
    valid_from = day_field(_("In force from (first day of a month)"))
    lost_ability = forms.BooleanField(
        label=_("The person has lost the ability to work (age, disability)"), required=False
    )
    crisis = forms.BooleanField(label=_("Emergency: services are given at once"), required=False)
    category = forms.CharField(label=_("Free category"), max_length=64, required=False)
    document = forms.CharField(
        label=_("Document that proves the category"),
        max_length=120,
        required=False,
        help_text=_("Without a document the category does not count."),
    )
    income = money_field(
        _("Income of the person in the window, in all"),
        required=False,
        help_text=_("Empty: the statement is missing, and nothing can be decided by income."),
    )
    unemployed = forms.BooleanField(label=_("Registered as unemployed without benefit"), required=False)

    def __init__(self, *args: Any, jurisdiction: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_codes(self, "category", jurisdiction=jurisdiction, table="free_categories")
        for number in OTHERS:
            self.fields[f"kind{number}"] = forms.ChoiceField(
                label=_("Family member %(number)s") % {"number": number}, choices=RELATIVES, required=False
            )
            self.fields[f"income{number}"] = money_field(
                _("Income of member %(number)s in the window, in all") % {"number": number}, required=False
            )

    def inputs(self, window: Period) -> FeeInputs:
        """The facts as the rule takes them; an income counts evenly over the window."""
        data = self.cleaned_data
        category = FreeCategory(data["category"], data["document"]) if data["category"] else None
        return FeeInputs(
            application_date=data["application_date"],
            lost_ability=data["lost_ability"],
            crisis=data["crisis"],
            members=(self._recipient(window), *self._relatives(window)),
            member_categories=((category,) if category else (),),
        )

    def _recipient(self, window: Period) -> FamilyMember:
        data = self.cleaned_data
        return FamilyMember(
            code="recipient",
            is_recipient=True,
            registered_unemployed=data["unemployed"],
            statement_missing=data["income"] is None,
            incomes=_spread(data["income"], window),
        )

    def _relatives(self, window: Period) -> list[FamilyMember]:
        data = self.cleaned_data
        return [
            FamilyMember(
                code=f"member {number}",
                is_minor=data[f"kind{number}"] == "minor",
                able_bodied=data[f"kind{number}"] == "able",
                statement_missing=data[f"income{number}"] is None and data[f"kind{number}"] != "minor",
                incomes=_spread(data[f"income{number}"], window),
            )
            for number in OTHERS
            if data[f"kind{number}"]
        ]


class FeeAnewForm(FeeForm):
    """The same for months that are over: up to which day, and what became known."""

    last_day = day_field(_("Last day (empty: to the end of what is decided)"), required=False)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What became known, when, and from which paper. The recipient and the auditor read it."),
    )
    field_order = ["valid_from", "last_day", "reason"]


def _spread(amount: Decimal | None, window: Period) -> tuple[IncomeRecord, ...]:
    if amount is None or window.end is None:
        return ()
    months = 1
    while add_months(window.start, months) < window.end:
        months += 1
    return (IncomeRecord(amount, window.start, months),)


class PlanForm(forms.Form):
    """Up to three services of an individual plan."""

    valid_from = day_field(_("First day"))
    last_day = day_field(_("Last day (empty: no end)"), required=False)

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        services = Service.objects.filter(organisation=organisation).order_by("code")
        for number in OTHERS:
            self.fields[f"service{number}"] = RowField(
                label=_("Service %(number)s") % {"number": number}, queryset=services, required=number == 1
            )
            self.fields[f"units{number}"] = units_field(
                _("Units a month of service %(number)s") % {"number": number}, required=number == 1
            )

    def volumes(self) -> list[PlannedVolume]:
        """The rows that were filled in."""
        data = self.cleaned_data
        return [
            PlannedVolume(data[f"service{n}"], data[f"units{n}"] or Decimal(0), data["valid_from"], data["last_day"])
            for n in OTHERS
            if data[f"service{n}"]
        ]


class IssueForm(forms.Form):
    """A certificate to issue."""

    first_day = day_field(_("First day"))
    budget_line = RowField(label=_("Budget line"), queryset=BudgetLine.objects.none())

    def __init__(self, *args: Any, organisation: Organisation, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choices(self, "budget_line", lines_for_certificates(organisation, today))


class AbsenceForm(forms.Form):
    """Days of absence."""

    kind = forms.ChoiceField(label=_("Kind of absence"), choices=Absence.KINDS)
    from_date = day_field(_("First day"))
    last_day = day_field(_("Last day (empty: not known yet)"), required=False)


class MandateForm(forms.Form):
    """Who may act for a recipient."""

    representative = forms.CharField(label=_("Name of the representative"), max_length=200)
    basis = forms.CharField(label=_("Ground: power of attorney, decision on guardianship"), max_length=200)
    valid_from = day_field(_("First day"))
    last_day = day_field(_("Last day (empty: no end)"), required=False)


class MandateEndForm(forms.Form):
    """The last day of a mandate."""

    last_day = day_field(_("Last day"))


class MoveForm(forms.Form):
    """A move within the municipality."""

    territory = RowField(label=_("New territory"), queryset=Territory.objects.none())
    moved_on = day_field(_("Moved on"), help_text=_("Counts from the first day of the next month."))

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _choices(self, "territory", Territory.objects.filter(organisation=organisation).order_by("name"))


class DeathForm(forms.Form):
    """A death."""

    death_date = day_field(_("Date of death"), help_text=_("Certificates are cancelled from the next day on."))


class RestForm(forms.Form):
    """A rest of a certificate."""

    from_date = day_field(_("Rests from"))
    last_day = day_field(_("Last day of rest (empty: until it is resumed)"), required=False)
    reason = forms.CharField(label=_("Reason"), max_length=300)


class ResumeForm(forms.Form):
    """The end of a rest."""

    from_date = day_field(_("Usable again from"))


class EndForm(forms.Form):
    """A cancellation."""

    status_from = day_field(_("Cancelled from"))
    reason = forms.CharField(label=_("Reason"), max_length=300)


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(label=_("Reason"), max_length=300)


class CodeForm(forms.Form):
    """First step at the door: which certificate."""

    certificate_key = forms.CharField(
        label=_("Code of the certificate"),
        max_length=1200,
        help_text=_("Nine letters and figures from the paper, or the content of its QR code."),
        widget=forms.TextInput(
            attrs={
                "class": "form-control-lg",
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )


class RedeemForm(forms.Form):
    """Second step at the door: what is given, and the recipient's PIN."""

    certificate_key = forms.CharField(widget=forms.HiddenInput)
    idempotency_key = forms.CharField(widget=forms.HiddenInput, max_length=64)
    service_code = forms.ChoiceField(label=_("Service"))
    worker_code = forms.ChoiceField(label=_("Worker"))
    units = units_field(_("How much"), min_value=Decimal("0.001"))
    starts_at = moment_field(_("Begins"))
    pin = forms.CharField(
        label=_("PIN"),
        max_length=8,
        help_text=_("The recipient enters it."),
        widget=forms.PasswordInput(
            attrs={"class": "form-control-lg", "inputmode": "numeric", "autocomplete": "off"}, render_value=False
        ),
    )

    def __init__(self, *args: Any, certificate: Certificate, provider: Provider, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lines = certificate.lines.select_related("service").order_by("service__code")
        self.fields["service_code"].choices = [  # type: ignore[attr-defined]
            (line.service.code, f"{line.service.name}, {line.service.get_unit_display()}") for line in lines
        ]
        workers = Worker.objects.filter(
            provider=provider, qualifications__service__code__in=[line.service.code for line in lines]
        )
        self.fields["worker_code"].choices = [  # type: ignore[attr-defined]
            (worker.code, f"{worker.name or ''} {worker.code}".strip())
            for worker in workers.distinct().order_by("code")
        ]
        self.zone = zone

    def clean_starts_at(self) -> datetime:
        """The moment in the organisation's zone, whatever the server's."""
        return in_zone(self.cleaned_data["starts_at"], self.zone)


class ConfirmForm(forms.Form):
    """What was really given."""

    units = units_field(_("How much was given"), min_value=Decimal("0.001"))
    ends_at = moment_field(_("Ended"))

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone

    def clean_ends_at(self) -> datetime:
        """The moment in the organisation's zone."""
        return in_zone(self.cleaned_data["ends_at"], self.zone)


class VisitsForm(forms.Form):
    """A file of visits."""

    file = forms.FileField(
        label=_("File of visits (XLSX or CSV)"),
        help_text=_(
            "Columns: certificate, service code, begins, units; worker code, ends, number of the visit if known."
            " The template has them; the names of the exchange format are read too."
        ),
    )
    accept_good_rows = forms.BooleanField(label=_("Take the good rows even when others are wrong"), required=False)
    organisation: forms.ModelChoiceField = forms.ModelChoiceField(
        label=_("Municipality that issued the certificates"), queryset=Organisation.objects.none(), empty_label=None
    )
    field_order = ["organisation", "file", "accept_good_rows"]

    def __init__(self, *args: Any, organisations: Sequence[Organisation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(organisations) < 2:
            del self.fields["organisation"]
        else:
            keys = [row.pk for row in organisations]
            _choices(self, "organisation", Organisation.objects.filter(pk__in=keys).order_by("name"))


def in_zone(moment: datetime, zone: str) -> datetime:
    """Clock time as read on the wall of the organisation."""
    return moment.replace(tzinfo=ZoneInfo(zone))


def first_of_next_month(day: date) -> date:
    """The usual start of decisions."""
    return add_months(month_of(day), 1)
