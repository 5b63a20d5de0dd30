"""Forms of the procurement app: input to plain values, the actions decide."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.form_fields import (
    FilesField,
    NumberField,
    RowField,
    SizedFileField,
    WholeField,
    day_after,
    day_field,
    moment_field,
    money_field,
    rate_field,
    units_field,
)
from config.office.storage import GivenFile
from config.roles import COMMISSION
from contracts.forms import NormChoiceField
from contracts.models import BudgetLine, NormCost, Service
from procurement.actions.bids import OTHER
from procurement.actions.competitions import CriterionDraft
from procurement.actions.documentation import contradictions
from procurement.actions.evaluation import ScoresLocked
from procurement.models import Criterion, PlanItem, Score, Tender
from procurement.rules.rejection import GROUNDS


class PlanForm(forms.Form):
    """The plan of a year."""

    year = forms.IntegerField(label=_("Year"), min_value=2000, max_value=2100)
    population_urban = WholeField(label=_("Residents of towns"), min_value=0)
    population_rural = WholeField(label=_("Residents of villages"), min_value=0)
    rationale = forms.CharField(label=_("Grounds of the plan"), widget=forms.Textarea(attrs={"rows": 4}))


class PlanItemForm(forms.Form):
    """A planned need."""

    title = forms.CharField(label=_("What is needed"), max_length=255)
    way = forms.ChoiceField(label=_("How it is met"), choices=PlanItem.WAYS)
    service = RowField(label=_("Service"), queryset=Service.objects.none(), required=False)
    recipients_planned = WholeField(label=_("Recipients"), min_value=0, initial=0)
    units_planned = units_field(_("Units in the year"), max_digits=16, initial=0)
    budget_line = RowField(label=_("Budget line"), queryset=BudgetLine.objects.none())
    value = money_field(_("Expected value"))

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _scope(self, organisation)


class TenderForm(forms.Form):
    """The documentation of a competition."""

    kind = forms.ChoiceField(label=_("Kind"), choices=Tender.KINDS)
    title = forms.CharField(label=_("Title"), max_length=255)
    description = forms.CharField(
        label=_("What is asked for"), widget=forms.Textarea(attrs={"rows": 4}), required=False
    )
    service = RowField(label=_("Service (of a social order)"), queryset=Service.objects.none(), required=False)
    norm_cost = NormChoiceField(
        label=_("Norm cost (the highest price of a social order)"), queryset=NormCost.objects.none(), required=False
    )
    budget_line = RowField(label=_("Budget line"), queryset=BudgetLine.objects.none())
    value = money_field(_("Value of the competition, or fund of the contest"))
    units_planned = units_field(_("Units planned"), max_digits=16, required=False)
    contract_from = day_field(_("Contract from"))
    contract_to = day_field(_("Last day of the contract"))
    required_documents = forms.CharField(
        label=_("Required documents, one a line"), widget=forms.Textarea(attrs={"rows": 4}), required=False
    )

    def __init__(self, *args: Any, organisation: Organisation, on: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.on = on
        _scope(self, organisation)

    def clean_contract_to(self) -> date:
        """The day after the last one, as ranges are kept."""
        return day_after(self.cleaned_data["contract_to"])

    def clean(self) -> dict[str, Any]:
        """What contradicts itself, beside the field to correct."""
        data = self.cleaned_data
        needed = ("kind", "service", "norm_cost", "budget_line", "value", "contract_from", "contract_to")
        if all(name in data for name in needed):
            for field, error in contradictions(on=self.on, **{name: data[name] for name in needed}):
                self.add_error(field, error.sentence)
        return data

    def documents(self) -> list[dict[str, str]]:
        """Required documents with codes made from their order."""
        lines = [line.strip() for line in self.cleaned_data["required_documents"].splitlines() if line.strip()]
        return [{"code": f"document_{number}", "title": line} for number, line in enumerate(lines, 1)]


def _scope(form: forms.Form, organisation: Organisation) -> None:
    rows = {
        "service": Service.objects.filter(organisation=organisation).order_by("code"),
        "norm_cost": NormCost.objects.filter(organisation=organisation, status="approved")
        .select_related("organisation", "service", "territory")
        .order_by("service__code", "valid_from"),
        "budget_line": BudgetLine.objects.filter(organisation=organisation).order_by("-year", "code"),
    }
    for name, queryset in rows.items():
        if name in form.fields:
            form.fields[name].queryset = queryset  # type: ignore[attr-defined]


class CriterionForm(forms.Form):
    """One criterion; an empty row is left out."""

    code = forms.SlugField(max_length=32, widget=forms.HiddenInput)
    title = forms.CharField(label=_("Criterion"), max_length=255)
    kind = forms.ChoiceField(label=_("Judged by"), choices=Criterion.KINDS)
    weight = NumberField(label=_("Weight"), min_value=0, max_value=100, decimal_places=2)
    must = forms.BooleanField(label=_("Must be above zero"), required=False)

    def draft(self) -> CriterionDraft:
        """The criterion as the action takes it."""
        data = self.cleaned_data
        return CriterionDraft(data["code"], data["title"], data["weight"], data["kind"], data["must"])


CriterionFormSet = forms.formset_factory(CriterionForm, extra=0, min_num=1, validate_min=True, can_delete=True)


class CommissionForm(forms.Form):
    """Chair and members of a commission."""

    chair = RowField(label=_("Chair"), queryset=User.objects.none())
    members = forms.ModelMultipleChoiceField(
        label=_("Members"), queryset=User.objects.none(), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, organisation: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(
            memberships__role=COMMISSION, memberships__organisation=organisation, is_active=True
        ).order_by("display_name")
        for name in ("chair", "members"):
            self.fields[name].queryset = people  # type: ignore[attr-defined]


class PublishForm(forms.Form):
    """When bids close."""

    bids_close_at = moment_field(_("Bids close at"))


class DeclarationForm(forms.Form):
    """A member's declaration of interest."""

    conflict = forms.TypedChoiceField(
        label=_("Do you have an interest in any of these bidders?"),
        choices=[("no", _("No, none")), ("yes", _("Yes, I do"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    statement = forms.CharField(label=_("Explanation"), widget=forms.Textarea(attrs={"rows": 3}), required=False)


class OfferForm(forms.Form):
    """First step of a bid: what is offered."""

    unit_price = rate_field(_("Price of a unit"))
    recipients = WholeField(label=_("Recipients you can serve"), min_value=1)
    note = forms.CharField(
        label=_("What the commission should know"), widget=forms.Textarea(attrs={"rows": 4}), required=False
    )


class BidForm(OfferForm):
    """Second step: a file field per required document, others, and the offer carried along."""

    def __init__(self, *args: Any, tender: Tender, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget = forms.HiddenInput()
        self.codes = [row["code"] for row in tender.required_documents]
        for row in tender.required_documents:
            self.fields[f"file_{row['code']}"] = SizedFileField(label=row["title"], required=False)
        self.fields["others"] = FilesField(label=_("Other documents"), required=False)

    def sealed_files(self) -> dict[str, GivenFile]:
        """The uploaded documents by code."""
        given = {code: self.cleaned_data.get(f"file_{code}") for code in self.codes}
        others = {f"{OTHER}_{number}": file for number, file in enumerate(self.cleaned_data["others"], 1)}
        return {code: given_file(file) for code, file in (given | others).items() if file}


class RejectionForm(forms.Form):
    """A coded ground and its motive."""

    ground = forms.ChoiceField(label=_("Ground"), choices=[])
    reason = forms.CharField(label=_("Motive for the bidder"), widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ground"].choices = [  # type: ignore[attr-defined]
            (code, f"{code} · {_(ground.title)}") for code, ground in GROUNDS.items()
        ]


class ReasonForm(forms.Form):
    """Reasons of a decision."""

    reason = forms.CharField(label=_("Reasons"), widget=forms.Textarea(attrs={"rows": 3}))


class ClosingForm(forms.Form):
    """Why a competition ends without a contract, and the decision; an announced one needs the document."""

    reason = forms.CharField(
        label=_("Reasons"), widget=forms.Textarea(attrs={"rows": 3}), help_text=_("Every bidder reads them.")
    )
    document = SizedFileField(label=_("Decision (file)"))

    def __init__(self, *args: Any, tender: Tender, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["document"].required = tender.published_at is not None

    def decision(self) -> GivenFile | None:
        """The uploaded decision."""
        file = self.cleaned_data["document"]
        return given_file(file) if file else None


def given_file(file: Any) -> GivenFile:
    """An upload as the actions take it."""
    return GivenFile(file.name, file.read(), file.content_type or "application/octet-stream")


class GrantForm(forms.Form):
    """The schedule of a grant agreement."""

    first_date = day_field(_("First tranche on"))
    first_amount = money_field(_("First tranche"))
    second_date = day_field(_("Second tranche on"))
    second_amount = money_field(_("Second tranche"))
    report_date = day_field(_("Final report due"))


class ComplaintForm(forms.Form):
    """A bidder's complaint."""

    text = forms.CharField(label=_("What do you complain about, and what do you ask for?"), widget=forms.Textarea)


class AnswerForm(forms.Form):
    """The answer to a complaint."""

    outcome = forms.ChoiceField(
        label=_("Decision"), choices=[("satisfied", _("satisfied")), ("declined", _("declined"))]
    )
    answer = forms.CharField(label=_("Reasons"), widget=forms.Textarea(attrs={"rows": 4}))


class MarksForm(forms.Form):
    """A member's marks of one bid, a field per scored criterion; a mark not kept yet may stay empty for now."""

    reason = forms.CharField(label=_("Reason of a change after locking"), required=False)

    def __init__(self, *args: Any, criteria: list[Criterion], kept: Mapping[str, Score], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.codes, self.kept = [row.code for row in criteria], kept
        for row in criteria:
            score = kept.get(row.code)
            self.fields[f"mark_{row.code}"] = NumberField(
                label=f"{row.title} (0–{row.scale_max})",
                min_value=0,
                max_value=row.scale_max,
                decimal_places=2,
                initial=None if score is None else score.value,
                help_text=_("A mean of zero here excludes the bid.") if row.must else "",
                required=score is not None,
            )
        self.order_fields([*(f"mark_{code}" for code in self.codes), "reason"])
        if not any(score.locked_at for score in kept.values()):
            del self.fields["reason"]

    def clean(self) -> dict[str, Any]:
        """A locked mark changes with a reason, asked for beside it."""
        locked = any(self.kept[code].locked_at for code in self.changed() if code in self.kept)
        if locked and not self.cleaned_data.get("reason"):
            self.add_error("reason", ScoresLocked().sentence)
        return self.cleaned_data

    def changed(self) -> dict[str, Decimal]:
        """Marks by criterion that are new or not the kept ones."""
        given = {code: self.cleaned_data.get(f"mark_{code}") for code in self.codes}
        return {
            code: value
            for code, value in given.items()
            if value is not None and (code not in self.kept or self.kept[code].value != value)
        }
