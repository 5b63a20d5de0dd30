"""Forms of an application to a project contest; sums are written in units of the form."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from config.form_fields import NumberField, SizedFileField, WholeField, money_field
from procurement.actions.applications import (
    ApplicationDraft,
    ItemDraft,
    KpiDraft,
    SourceDraft,
    StepDraft,
)
from procurement.models import ProjectBudgetSource


def _declared(label: Any, largest: int) -> WholeField:
    return WholeField(
        label=label, min_value=0, max_value=largest, required=False, help_text=_("Empty: the text does not say.")
    )


class ApplicationForm(forms.Form):
    """The head of an application; sums are written in units of the form."""

    title = forms.CharField(label=_("Title of the project"), max_length=400)
    summary = forms.CharField(label=_("Summary"), widget=forms.Textarea(attrs={"rows": 5}))
    duration_months = forms.IntegerField(label=_("Months of the project"), min_value=1, max_value=120)
    unit_multiplier = forms.TypedChoiceField(
        label=_("Sums below are written in"),
        choices=[("1", _("whole currency")), ("1000", _("thousands"))],
        coerce=int,
    )
    declared_total = money_field(_("Budget of the project in all"), max_digits=16)
    activity_numbers = forms.CharField(
        label=_("Numbers of the activities in the text, by commas"), required=False, max_length=400
    )
    declared_item_count = _declared(_("Expense items, as the text counts them"), 400)
    partners_declared = _declared(_("Partners, as the annotation counts them"), 1000)
    partners = forms.CharField(
        label=_("Partners that the text names, one a line"),
        required=False,
        max_length=20000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    pages_declared = _declared(_("Pages of the application in all"), 10000)
    last_page_referred = _declared(_("Last page that the table of contents names"), 10000)

    def clean_partners(self) -> list[str]:
        """Names, without empty lines."""
        return [line.strip() for line in self.cleaned_data["partners"].splitlines() if line.strip()]

    def clean_activity_numbers(self) -> list[int]:
        """Whole numbers in their order."""
        parts = [part.strip() for part in self.cleaned_data["activity_numbers"].split(",") if part.strip()]
        if not all(part.isdecimal() and len(part) < 10 for part in parts):
            raise forms.ValidationError(_("Write whole numbers divided by commas."))
        return [int(part) for part in parts]


class SourceForm(forms.Form):
    """A source of money."""

    # The first choice as initial value: an untouched extra row stays an empty row.
    kind = forms.ChoiceField(label=_("Kind"), choices=ProjectBudgetSource.KINDS, initial="grant")
    title = forms.CharField(label=_("Source"), max_length=255)
    amount = money_field(_("Sum"), max_digits=16)
    declared_share = NumberField(
        label=_("Share, percent"), min_value=0, max_value=100, decimal_places=2, required=False
    )
    conditional = forms.BooleanField(label=_("Only if the contest is won"), required=False)


class ItemForm(forms.Form):
    """An expense item; ``paid_by``: the kind of source that alone finances it."""

    title = forms.CharField(label=_("Expense item"), max_length=400)
    amount = money_field(_("Sum"), max_digits=16)
    paid_by = forms.ChoiceField(
        label=_("Paid from"), choices=[("", _("several sources")), *ProjectBudgetSource.KINDS], required=False
    )


class KpiForm(forms.Form):
    """A result to reach."""

    title = forms.CharField(label=_("Result"), max_length=255)
    baseline = NumberField(label=_("Now"), decimal_places=2)
    target = NumberField(label=_("At the end, at least"), decimal_places=2)
    stated_baseline = NumberField(label=_("Now, elsewhere in the text"), decimal_places=2, required=False)
    stated_target = NumberField(label=_("At the end, elsewhere in the text"), decimal_places=2, required=False)


class StepForm(forms.Form):
    """A block of the work plan."""

    month_from = forms.IntegerField(label=_("From month"), min_value=1, max_value=120)
    month_to = forms.IntegerField(label=_("To month"), min_value=1, max_value=120)
    description = forms.CharField(label=_("Work"), max_length=2000)
    executors = forms.CharField(label=_("Done by"), max_length=400, required=False)


SourceFormSet = forms.formset_factory(SourceForm, extra=2, can_delete=True)
ItemFormSet = forms.formset_factory(ItemForm, extra=3, can_delete=True)
KpiFormSet = forms.formset_factory(KpiForm, extra=2, can_delete=True)
StepFormSet = forms.formset_factory(StepForm, extra=3, can_delete=True)


# What the text declares beside its tables: named alike in the form, the draft and the record.
DECLARED = ("declared_item_count", "partners_declared", "partners", "pages_declared", "last_page_referred")


def filled(formset: Any) -> list[dict[str, Any]]:
    """Rows of a valid formset that say something and are not to be deleted."""
    return [form.cleaned_data for form in formset if form.cleaned_data and not form.cleaned_data.get("DELETE")]


def application_draft(head: ApplicationForm, parts: dict[str, Any]) -> ApplicationDraft:
    """The application as the action takes it; sums become whole currency."""
    data = head.cleaned_data
    times = data["unit_multiplier"]
    items = filled(parts["items"])
    earmarks: dict[str, list[int]] = {}
    for number, row in enumerate(items, 1):
        if row["paid_by"]:
            earmarks.setdefault(row["paid_by"], []).append(number)
    return ApplicationDraft(
        title=data["title"],
        summary=data["summary"],
        duration_months=data["duration_months"],
        declared_total=data["declared_total"] * times,
        sources=[
            SourceDraft(row["kind"], row["title"], row["amount"] * times, row["declared_share"], row["conditional"])
            for row in filled(parts["sources"])
        ],
        items=[ItemDraft(row["title"], row["amount"] * times) for row in items],
        kpis=[
            KpiDraft(
                f"kpi_{number}",
                row["title"],
                row["baseline"],
                row["target"],
                row["stated_baseline"],
                row["stated_target"],
            )
            for number, row in enumerate(filled(parts["kpis"]), 1)
        ],
        plan=[
            StepDraft(row["month_from"], row["month_to"], row["description"], row["executors"])
            for row in filled(parts["steps"])
        ],
        activity_numbers=data["activity_numbers"],
        earmarks=earmarks,
        unit_multiplier=times,
        **{name: data[name] for name in DECLARED},
    )


class DocumentForm(forms.Form):
    """A required annex."""

    file = SizedFileField(label=_("File"))
