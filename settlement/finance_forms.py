"""Forms of the finance pages: they turn input into plain values, the actions decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.form_fields import RowField, money_field
from config.periods import add_months, parse_month
from config.templatetags.show import amount, minor
from contracts.models import Contract, Provider
from settlement.clearing_queries import neighbours_of
from settlement.models import Claim, Correction, Payment

DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
SELECT = forms.Select(attrs={"class": "form-select"})
# What a chart can show.
MONTHS_MAX = 24


def month_of_text(text: str) -> date | None:
    """First day of a month written YYYY-MM, or None."""
    try:
        return parse_month(text)
    except ValueError:
        return None


class ReleaseForm(forms.Form):
    """When the bank shall pay."""

    execution_date = forms.DateField(label=_("Payment date"), widget=DATE)


class IssueNoticesForm(forms.Form):
    """The decision that the office collects the fees of a month."""

    collects = forms.BooleanField(
        label=_("The office collects these fees for the providers; the recipients have not paid them to the providers")
    )


class ReasonForm(forms.Form):
    """A decision in words."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The auditor reads it."),
    )


class ApproveForm(forms.Form):
    """Why money may go again to an account that the bank returned it from."""

    reason = forms.CharField(
        label=_("Why the account can be paid again"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("For example: the provider has shown a letter of the bank. The auditor reads it."),
    )


class HoldForm(forms.Form):
    """What is held, by its code or number, from when and why. ``target`` in the cleaned data is the record."""

    KINDS = [
        ("provider", _("Everything of a provider")),
        ("contract", _("A contract")),
        ("claim", _("A claim")),
        ("payment", _("A payment that was not handed to the bank")),
    ]

    kind = forms.ChoiceField(label=_("What is held"), choices=KINDS)
    number = forms.CharField(
        label=_("Code of the provider, or number of the contract, claim or payment"), max_length=64
    )
    from_date = forms.DateField(label=_("First day"), widget=DATE)
    last_day = forms.DateField(
        label=_("Last day"), widget=DATE, required=False, help_text=_("Empty: until another person lifts it.")
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The auditor reads it."),
    )

    def __init__(self, *args: Any, office: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows: dict[str, QuerySet[Any]] = {
            "provider": Provider.objects.all(),
            "contract": Contract.objects.filter(organisation=office),
            "claim": Claim.objects.filter(organisation=office),
            "payment": Payment.objects.filter(organisation=office),
        }

    def clean(self) -> dict[str, Any]:
        """Find the record."""
        found = super().clean() or {}
        kind, number = found.get("kind", ""), found.get("number", "")
        names = {"provider": "code", "payment": "reference"}
        if not kind or not number:
            return found
        found["target"] = self.rows[kind].filter(**{names.get(kind, "number"): number}).first()
        if found["target"] is None:
            self.add_error("number", _("Nothing has this code or number. Look at it again."))
        last = found.get("last_day")
        found["to_date"] = last + timedelta(days=1) if last else None
        return found


class FeeRefundForm(forms.Form):
    """How much of a receipt goes back, and why."""

    amount = money_field(_("Sum to give back"))
    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class ExplainForm(forms.Form):
    """What a bank line is, when it is no payment of ours."""

    explanation = forms.CharField(
        label=_("What this money is"), max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )


class FeeLineForm(forms.Form):
    """A bank line around recipients' fees."""

    CAME_IN = [("fee", _("A recipient paid a notice")), ("cards", _("Money from Stripe"))]
    WENT_OUT = [("passed_on", _("Collected fees passed on to the provider")), ("cards", _("Money to Stripe"))]

    kind = forms.ChoiceField(label=_("What it is"))
    notice = forms.CharField(label=_("Number or reference of the notice"), max_length=64, required=False)
    provider = RowField(label=_("Provider"), queryset=Provider.objects.order_by("name"), required=False)

    def __init__(self, *args: Any, came_in: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind: Any = self.fields["kind"]
        kind.choices = self.CAME_IN if came_in else self.WENT_OUT
        del self.fields["provider" if came_in else "notice"]

    def clean(self) -> dict[str, Any]:
        """Each kind needs to know whose money it is."""
        found = super().clean() or {}
        for kind, name in (("fee", "notice"), ("passed_on", "provider")):
            if found.get("kind") == kind and not found.get(name):
                self.add_error(name, _("Fill this in."))
        return found


def _offer(payment: Any) -> str:
    """What tells payments (with ``whole_minor`` and ``open_minor``) of one provider and sum apart."""
    parts = [payment.reference, str(payment.provider), _sum_of(payment), f"…{payment.iban[-4:]}"]
    if payment.payment_run.execution_date:
        day = date_format(payment.payment_run.execution_date, "SHORT_DATE_FORMAT")
        parts.append(gettext("payment day %(day)s") % {"day": day})
    return " · ".join(parts)


def _sum_of(payment: Any) -> str:
    """The sum of a payment; where a part of it is paid, what is open of it first."""
    whole = amount(payment.amount)
    if payment.open_minor == payment.whole_minor:
        return whole
    left = minor(payment.open_minor, str(payment.amount.currency))
    return gettext("%(left)s open of %(sum)s") % {"left": left, "sum": whole}


class MatchForm(forms.Form):
    """Payments that a bank line is for: those that are ``offered`` of all that it ``can`` be.

    ``plain``: the one payment that fits; whoever confirms it need not say why.
    """

    payments: forms.ModelMultipleChoiceField[Payment] = forms.ModelMultipleChoiceField(
        label=_("Payments"), queryset=Payment.objects.none(), widget=forms.CheckboxSelectMultiple
    )
    reason = forms.CharField(label=_("Why they belong together"), max_length=300)

    def __init__(
        self, *args: Any, can: QuerySet[Payment], offered: Iterable[Payment], plain: Payment | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.plain = plain
        self.fields["reason"].required = plain is None
        field: Any = self.fields["payments"]
        field.queryset = can
        field.choices = [(row.pk, _offer(row)) for row in offered]

    def clean(self) -> dict[str, Any]:
        """Another choice than the one that fits needs its reason."""
        found = super().clean() or {}
        if "payments" in found and found.get("reason") == "" and list(found["payments"]) != [self.plain]:
            self.add_error("reason", _("Fill this in."))
        return found


class CorrectionForm(forms.Form):
    """Which closed month is put right, on what ground and why."""

    month = forms.ChoiceField(label=_("Closed month"))
    ground = forms.ChoiceField(label=_("What has changed"), choices=Correction.GROUNDS)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_(
            "Name the document and its date, and no person: the office and the auditor read it. Providers and "
            "recipients read what has changed, not this."
        ),
    )

    def __init__(self, *args: Any, months: Sequence[date], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["month"]
        field.choices = [(f"{month:%Y-%m}", date_format(month, "YEAR_MONTH_FORMAT")) for month in months]


class MonthsForm(forms.Form):
    """From which month to which, both included."""

    UNKNOWN: ClassVar = {"invalid_choice": _("There is nothing to report of that month. Choose one of the list.")}

    first = forms.TypedChoiceField(label=_("First month"), coerce=parse_month, widget=SELECT, error_messages=UNKNOWN)
    last = forms.TypedChoiceField(label=_("Last month"), coerce=parse_month, widget=SELECT, error_messages=UNKNOWN)

    def __init__(self, data: Any = None, *, since: date, until: date, usual: dict[str, date]) -> None:
        super().__init__(data, initial={name: f"{month:%Y-%m}" for name, month in usual.items()})
        count = (until.year - since.year) * 12 + until.month - since.month + 1
        months = [add_months(since, number) for number in range(count)]
        for name in ("first", "last"):
            field: Any = self.fields[name]
            field.choices = [(f"{month:%Y-%m}", date_format(month, "YEAR_MONTH_FORMAT")) for month in months]

    def clean(self) -> dict[str, Any]:
        """The months are in order, and not more than a chart can show."""
        found = super().clean() or {}
        if found.get("first") and found.get("last"):
            if found["last"] < found["first"]:
                self.add_error("last", _("The last month lies before the first one."))
            elif found["last"] >= add_months(found["first"], MONTHS_MAX):
                self.add_error("last", _("Choose two years at most."))
        return found


class ObjectionForm(forms.Form):
    """Why a correction is wrong."""

    reason = forms.CharField(
        label=_("Why you do not agree"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Write what is not right and which paper shows it. The office answers in writing."),
    )


class ClearingForm(forms.Form):
    """With whom and up to which month."""

    other = RowField(label=_("Municipality"), queryset=Organisation.objects.none(), widget=SELECT)
    month = forms.ChoiceField(label=_("Month"), widget=SELECT)

    def __init__(self, *args: Any, office: Organisation, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["other"].queryset = neighbours_of(office)
        months = [add_months(today.replace(day=1), -number) for number in range(MONTHS_MAX)]
        fields["month"].choices = [(f"{day:%Y-%m}", date_format(day, "YEAR_MONTH_FORMAT")) for day in months]

    def clean_month(self) -> date:
        """The first day of the month."""
        return parse_month(self.cleaned_data["month"])
