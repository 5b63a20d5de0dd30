"""What the columns of a bank's table mean: told once by a person, remembered for every later file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError
from settlement.actions.runs import person
from settlement.gateways.tables import FIELDS, fingerprint
from settlement.models import StatementLayout


class LayoutIncomplete(DomainError):
    """Too little to read a line of money."""

    code = "STATEMENT_LAYOUT_INCOMPLETE"
    message = _("Say in which column the day stands, and in which the sum: one column with a sign, or two columns.")
    http_status = 400


class ColumnTwice(DomainError):
    """One column means one thing."""

    code = "STATEMENT_LAYOUT_COLUMN_TWICE"
    message = _("The column «%(column)s» is chosen twice. Choose another one, or leave one of the two empty.")
    http_status = 400


class LayoutAccount(DomainError):
    """A table of somebody else's account."""

    code = "STATEMENT_LAYOUT_ACCOUNT"
    message = _("«%(account)s» is no account of ours.")
    http_status = 400


@action
def save_layout(
    *,
    organisation: Organisation,
    name: str,
    iban: str,
    headings: Sequence[str],
    columns: Mapping[str, str],
    actor: Actor,
    at: datetime,
) -> StatementLayout:
    """Remember the columns of a table; the same headings again replace what was said before.

    Raises: LayoutIncomplete, ColumnTwice, LayoutAccount. Audit: statement_layout.saved.
    """
    chosen = {field: columns[field] for field in FIELDS if columns.get(field) in headings and columns.get(field)}
    if "date" not in chosen or not ("amount" in chosen or {"debit", "credit"} <= set(chosen)):
        raise LayoutIncomplete()
    _refuse_column_twice(chosen)
    if iban not in organisation.accounts:
        raise LayoutAccount(account=iban)
    layout, _created = StatementLayout.objects.update_or_create(
        organisation=organisation,
        header_sha256=fingerprint(headings),
        defaults={
            "name": name.strip()[:100],
            "iban": iban,
            "headings": list(headings),
            "columns": chosen,
            "saved_by_id": person(actor),
            "saved_at": at,
        },
    )
    record("statement_layout.saved", layout, actor=actor, at=at, bank=layout.name, columns=chosen)
    return layout


def _refuse_column_twice(columns: Mapping[str, str]) -> None:
    """Raises: ColumnTwice."""
    seen: set[str] = set()
    for column in columns.values():
        if column.casefold() in seen:
            raise ColumnTwice(column=column)
        seen.add(column.casefold())
