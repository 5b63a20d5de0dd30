"""The spreadsheet that a provider fills in to report visits: headings, one example, and what each column is."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from vouchers.gateways.headings import heading_of

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Columns by their names in the interchange format, with what people write in them.
COLUMNS: dict[str, object] = {
    "certificate_number": _("number of the certificate, as printed on it"),
    "service_code": _("code of the service"),
    "starts_at": _("date and time of the beginning: 2025-11-03 09:00"),
    "ends_at": _("date and time of the end; may stay empty"),
    "units": _("how much was given, for example 1.5 hours"),
    "worker_code": _("code of the worker"),
    "code": _("your own number of the visit; may stay empty"),
}


@dataclass(frozen=True)
class Example:
    """What stands in the example row; values of the provider itself where they are known."""

    certificate: str = "CT-2025-0001"
    service: str = "015.1"
    worker: str = "W-01"

    def row(self) -> list[str]:
        """The example in the order of the columns."""
        return [self.certificate, self.service, "2025-11-03 09:00", "2025-11-03 10:30", "1.5", self.worker, ""]


def headed(columns: Mapping[str, object]) -> dict[str, object]:
    """Columns with what is written in them, by their headings in the reader's language."""
    return {heading_of(column): meaning for column, meaning in columns.items()}


def visits_csv(example: Example) -> bytes:
    """CSV that spreadsheets open with the right letters."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([list(headed(COLUMNS)), example.row()])
    return ("\ufeff" + buffer.getvalue()).encode()


def visits_xlsx(example: Example) -> bytes:
    """XLSX of the visits."""
    return template_xlsx(gettext("Visits"), headed(COLUMNS), example.row())


def template_xlsx(title: str, columns: Mapping[str, object], example: Sequence[str]) -> bytes:
    """XLSX: the sheet to fill in comes first; a note on each heading and a second sheet say in the reader's language
    what the column is.
    """
    from openpyxl import Workbook
    from openpyxl.comments import Comment
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    sheet.append(list(columns))
    sheet.append(list(example))
    # Codes such as 015.1 must stay text.
    for place, meaning in enumerate(columns.values(), 1):
        letter = get_column_letter(place)
        sheet.column_dimensions[letter].width = 22
        for number in range(1, 500):
            sheet[f"{letter}{number}"].number_format = "@"
        sheet[f"{letter}1"].font = Font(bold=True)
        sheet[f"{letter}1"].comment = Comment(str(meaning), "", width=260)
    sheet.freeze_panes = "A2"
    words = book.create_sheet(gettext("Columns"))
    for column, meaning in columns.items():
        words.append([column, str(meaning)])
    words.column_dimensions["A"].width, words.column_dimensions["B"].width = 22, 70
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
