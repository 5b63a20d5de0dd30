"""Headings of the spreadsheets that people fill in: in the reader's language, or the names of the interchange format.

A file may carry either, in any language of the product, and a few other words that people write.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

# Names of the interchange format, with what stands over the column.
HEADINGS: dict[str, object] = {
    "redemption_code": _("Number of the redemption"),
    "certificate_number": _("Certificate"),
    "service_code": _("Service code"),
    "service_date": _("Date of the service"),
    "starts_at": _("Begins"),
    "ends_at": _("Ends"),
    "units": _("Units"),
    "worker_code": _("Worker code"),
    "code": _("Number of the visit"),
    "unit_rate": _("Price of a unit"),
    "amount": _("Amount"),
}
ALSO_WRITTEN = {
    "номер сертифіката": "certificate_number",
    "номер сертификата": "certificate_number",
    "код": "code",
    "працівник": "worker_code",
    "работник": "worker_code",
    "worker": "worker_code",
    "послуга": "service_code",
    "услуга": "service_code",
    "service": "service_code",
    "кількість": "units",
    "количество": "units",
}


def heading_of(column: str) -> str:
    """What stands over a column; an unknown one keeps its name."""
    return str(HEADINGS.get(column, column))


def headings_of(columns: Iterable[str]) -> str:
    """Columns as a sentence lists them."""
    return ", ".join(map(heading_of, columns))


def column_of(written: str) -> str:
    """The column that a heading of a file names; what nobody knows stays as it was written."""
    return _known().get(written.strip().lower(), written)


@cache
def _known() -> dict[str, str]:
    known = dict(ALSO_WRITTEN)
    for language, _name in settings.LANGUAGES:
        with override(language):
            known |= {str(heading).lower(): column for column, heading in HEADINGS.items()}
    return known | {column: column for column in HEADINGS}
