"""Form fields that every app uses: numbers as people write them, days and moments of a sane year."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from config.figures import written
from config.money import AMOUNT_PLACES, RATE_PLACES, UNITS_PLACES, read_number

DAY_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y")
MOMENT_FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%d.%m.%Y %H:%M")
FIRST_YEAR, LAST_YEAR = 1900, 2199
INTEGER_MAX = 2**31 - 1
FILE_MEGABYTES = 20
NAME_LENGTH = 200


def _figures() -> forms.TextInput:
    """A text box: a browser's number box would drop what has spaces or a comma."""
    return forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})


class NumberField(forms.DecimalField):
    """A decimal number: "18 000,00" with any kind of space, "18 000.00" and "18.000,00" are the same."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"localize": True, "widget": _figures(), "max_digits": 16, **options})

    def to_python(self, value: Any) -> Any:
        """Raises: ValidationError for what is no number."""
        return super().to_python(_read(self, value))

    def run_validators(self, value: Any) -> None:
        """Bounds are told as figures are read: 0,001. Raises: ValidationError."""
        try:
            super().run_validators(value)
        except ValidationError as error:
            raise ValidationError([_bound_in_words(one) for one in error.error_list]) from error


def _bound_in_words(error: ValidationError) -> ValidationError:
    params: dict[str, Any] = dict(error.params or {})
    bound = params.get("limit_value")
    if not isinstance(bound, Decimal):
        return error
    return ValidationError(error.message, error.code, params | {"limit_value": written(bound, "#,##0.####")})


class WholeField(forms.IntegerField):
    """A count, written with or without spaces between the thousands."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"localize": True, "widget": _figures(), "max_value": INTEGER_MAX, **options})

    def to_python(self, value: Any) -> Any:
        """Raises: ValidationError for what is no whole number."""
        return super().to_python(_read(self, value))


def _read(field: forms.Field, value: Any) -> Any:
    if not isinstance(value, str) or not value.strip():
        return value
    try:
        return read_number(value)
    except ValueError as error:
        raise ValidationError(field.error_messages["invalid"], code="invalid") from error


def money_field(label: Any, **options: Any) -> NumberField:
    """An amount with two places, not negative."""
    return NumberField(label=label, **{"max_digits": 14, "decimal_places": AMOUNT_PLACES, "min_value": 0, **options})


def rate_field(label: Any, **options: Any) -> NumberField:
    """A price of a unit with four places, above zero."""
    least = Decimal(1).scaleb(-RATE_PLACES)
    return NumberField(label=label, **{"max_digits": 14, "decimal_places": RATE_PLACES, "min_value": least, **options})


def units_field(label: Any, **options: Any) -> NumberField:
    """Units of a service with three places, not negative."""
    return NumberField(label=label, **{"max_digits": 11, "decimal_places": UNITS_PLACES, "min_value": 0, **options})


def _known_year(value: date) -> None:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValidationError(
            _("Check the year: it must be between %(first)s and %(last)s."),
            code="year",
            params={"first": FIRST_YEAR, "last": LAST_YEAR},
        )


def day_field(label: Any, **options: Any) -> forms.DateField:
    """A calendar day."""
    widget = forms.DateInput(attrs={"type": "date"}, format=DAY_FORMATS[0])
    return forms.DateField(
        label=label, **{"widget": widget, "input_formats": DAY_FORMATS, "validators": [_known_year], **options}
    )


def day_after(last: date) -> date:
    """Where a range ends whose last day people write."""
    return last + timedelta(days=1)


def moment_field(label: Any, **options: Any) -> forms.DateTimeField:
    """A day with a time."""
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MOMENT_FORMATS[0])
    return forms.DateTimeField(
        label=label, **{"widget": widget, "input_formats": MOMENT_FORMATS, "validators": [_known_year], **options}
    )


class SizedFileField(forms.FileField):
    """A file that is small enough to keep."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": NAME_LENGTH, **options})

    def to_python(self, data: Any) -> Any:
        """Raises: ValidationError for what is empty or too large."""
        file = super().to_python(data)
        if file is not None and (file.size or 0) > FILE_MEGABYTES * 1024 * 1024:
            raise ValidationError(
                _("The file is larger than %(max)s MB. Make it smaller."), code="size", params={"max": FILE_MEGABYTES}
            )
        return file


class RowField(forms.ModelChoiceField):
    """A row to choose from a list; what stands there before is said in words."""

    def __init__(self, queryset: QuerySet[Any], *, required: bool = True, **options: Any) -> None:
        before = _("Choose from the list") if required else _("Nothing chosen")
        super().__init__(queryset, required=required, **{"empty_label": before, **options})


class _ManyFiles(forms.FileInput):
    allow_multiple_selected = True


class FilesField(SizedFileField):
    """Any number of files; the value is a list."""

    widget = _ManyFiles

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Raises: ValidationError of the first file that cannot be taken."""
        given = [file for file in data or [] if file] if isinstance(data, list | tuple) else [data] if data else []
        return [super(FilesField, self).clean(file, initial) for file in given] or super().clean(None, initial) or []
