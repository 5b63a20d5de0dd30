"""Forms of advances: what is asked for and on what it rests."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.form_fields import NumberField, RowField, money_field
from contracts.models import Contract
from settlement.finance_forms import DATE, SELECT


class AdvanceForm(forms.Form):
    """An advance under a contract in force."""

    contract = RowField(Contract.objects.none(), label=_("Contract"), widget=SELECT)
    amount = money_field(_("Amount"))
    purpose = forms.CharField(label=_("What the advance is for"), max_length=300)
    use_until = forms.DateField(
        label=_("To be used until"),
        widget=DATE,
        help_text=_(
            "A day of this year. Claims of later months do not use it, and it does not go over to another year."
        ),
    )
    units = NumberField(
        label=_("Planned volume, units"), required=False, min_value=Decimal("0.001"), max_digits=12, decimal_places=3
    )
    tariff = NumberField(
        label=_("Tariff of one unit"),
        required=False,
        min_value=Decimal("0.0001"),
        max_digits=12,
        decimal_places=4,
        help_text=_("Both together: the advance is then no more than the planned volume costs."),
    )

    def __init__(self, *args: Any, organisation: Organisation, on: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Contract.objects.filter(organisation=organisation, status="active").exclude(valid_to__lte=on)
        contracts: Any = self.fields["contract"]
        contracts.queryset = rows.select_related("provider").order_by("provider__name", "number")
        contracts.label_from_instance = lambda row: f"{row.provider.name}, {row.number}"

    def clean(self) -> dict[str, Any]:
        """Volume and tariff belong together."""
        found = super().clean() or {}
        if (found.get("units") is None) != (found.get("tariff") is None) and not {"units", "tariff"} & set(self.errors):
            self.add_error("tariff", _("Write the planned volume and the tariff, or neither."))
        return found


class AskBackForm(forms.Form):
    """Why what is unused is asked back, and until when it has to come."""

    reason = forms.CharField(label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))
    until = forms.DateField(
        label=_("Money comes back until"),
        widget=DATE,
        required=False,
        help_text=_("Empty: the day by which unused money of the year comes back."),
    )


class AdvanceLineForm(forms.Form):
    """Of which advance the money of a bank line is."""

    advance = forms.CharField(label=_("Advance"), max_length=64)
