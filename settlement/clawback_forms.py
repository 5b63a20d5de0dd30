"""Forms of clawbacks: what is asked back and why, the reply, the decision line by line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from config.form_fields import money_field
from config.money import from_minor, to_minor
from settlement.forms import EvidenceForm
from settlement.models import ClawbackCase, ClawbackLine

# A number of a line, or the first and the last one.
_RANGE = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")
_DASH = re.compile(r"\s*[-–—]\s*")


class LinesField(forms.CharField):
    """Numbers of lines: "1, 3, 7-12"."""

    def to_python(self, value: Any) -> Any:
        """Sorted numbers. Raises: ValidationError."""
        text = super().to_python(value)
        parts = re.split(r"[,;\s]+", _DASH.sub("-", text or "").strip(" ,;"))
        found: set[int] = set()
        for part in filter(None, parts):
            match = _RANGE.fullmatch(part)
            if match is None:
                raise forms.ValidationError(_("Write numbers of lines like this: 1, 3, 7-12."))
            first, last = int(match[1]), int(match[2] or match[1])
            if last < first or last - first > 1_000:
                raise forms.ValidationError(_("Write numbers of lines like this: 1, 3, 7-12."))
            found |= set(range(first, last + 1))
        return sorted(found)


class LinesForm(forms.Form):
    """Which lines of a claim, and a smaller sum where not all of it is asked back."""

    lines = LinesField(
        label=_("Lines"),
        max_length=400,
        help_text=_("Numbers of the lines below, like this: 1, 3, 7-12. All that was paid for them is asked back."),
    )
    amount = money_field(_("Only a part of it (for one line)"), required=False)

    def clean(self) -> dict[str, Any]:
        """A part belongs to one line."""
        found = super().clean() or {}
        if found.get("amount") is not None and len(found.get("lines") or ()) > 1:
            self.add_error(
                "amount", _("A part can be asked back of one line only. Leave this empty, or name one line.")
            )
        return found

    @property
    def amount_minor(self) -> int | None:
        """The part, minor units."""
        amount: Decimal | None = self.cleaned_data["amount"]
        return None if amount is None else to_minor(amount)


class GroundForm(forms.Form):
    """Why money is asked back: what was found and the legal ground."""

    finding = forms.CharField(
        label=_("What was found"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Name the facts and the documents. The provider reads it in the notice."),
    )
    ground = forms.CharField(
        label=_("Legal ground"),
        max_length=300,
        help_text=_("The clause of the contract or the article of the act."),
    )


class OpenForm(LinesForm, GroundForm):
    """A new case about lines of claims."""

    # What is owed of a corrected month is no finding about lines.
    found_by = forms.ChoiceField(
        label=_("How it was found"), choices=[row for row in ClawbackCase.FOUND_BY if row[0] != "correction"]
    )
    field_order = ("lines", "amount", "found_by", "finding", "ground")


class ReplyForm(EvidenceForm):
    """What the provider says to a notice."""

    text = forms.CharField(
        label=_("Your reply"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Say with what you agree and with what you do not, and name the document that shows it."),
    )
    field_order = ("text", "file")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].required = False
        self.fields["file"].label = _("Evidence (a file, if you have one)")


class DecisionForm(forms.Form):
    """How much of each line is upheld; nothing of all of them drops the case."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Answer what the provider says. It reads this, and so does the auditor."),
    )

    def __init__(self, *args: Any, lines: Sequence[ClawbackLine], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = list(lines)
        for line in self.lines:
            label = _("Upheld of line %(line)s of %(claim)s") % {
                "line": line.claim_line.line,
                "claim": line.claim_line.claim.number,
            }
            field = money_field(label, max_value=from_minor(line.amount_minor))
            field.initial = from_minor(line.amount_minor)
            self.fields[f"line_{line.pk}"] = field

    def rows(self) -> list[tuple[ClawbackLine, Any]]:
        """Each line with its field, for the table."""
        return [(line, self[f"line_{line.pk}"]) for line in self.lines]

    def upheld_minor(self) -> dict[int, int] | None:
        """Sums by line, minor units; None for a case without lines, which is upheld as it is."""
        if not self.lines:
            return None
        return {line.pk: to_minor(self.cleaned_data[f"line_{line.pk}"]) for line in self.lines}


class RepaymentForm(forms.Form):
    """For which case the money of a bank line is."""

    case = forms.CharField(label=_("Number of the case"), max_length=64)
