"""Reads dated law: the value of a key on a day, with where it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.errors import DomainError
from config.law_words import parameter_named
from config.versions import known_rows
from contracts.models import Parameter, ParameterProposal

# National rows of this jurisdiction serve where a jurisdiction has no value of its own.
FALLBACK = "GENERIC"


class ParameterMissing(DomainError):
    """No row of the key holds on the day: the law is not loaded, so nothing may be decided."""

    code = "PARAMETER_MISSING"
    message = _(
        "The parameter «%(parameter)s» has no value on %(on)s. "
        "Ask the administrator of parameters to enter it, then try again."
    )

    def __init__(self, *, key: str, on: date) -> None:
        super().__init__(key=key, on=on, parameter=parameter_named(key))


@dataclass(frozen=True)
class ParameterValue:
    """One dated value. ``value`` is a Decimal when the text is a number, else the text itself.

    ``text`` is always as it was written (a date part such as 15.01 also reads as a number).
    """

    id: int
    key: str
    text: str
    valid_from: date
    act: str
    evidence: str
    unverified: bool
    article: str = ""

    @property
    def value(self) -> Decimal | str:
        """Decimal or text."""
        try:
            return Decimal(self.text)
        except InvalidOperation:
            return self.text

    @property
    def decimal(self) -> Decimal:
        """The value as a number. Raises: decimal.InvalidOperation for a word."""
        return Decimal(self.text)

    @property
    def whole(self) -> int:
        """The value as a whole number."""
        return int(self.decimal)

    @property
    def flag(self) -> bool:
        """Whether a boolean parameter is on."""
        return self.text.strip().lower() == "true"

    def as_version(self) -> dict[str, Any]:
        """What a decision stores of a parameter that it used: id, version and source, as plain JSON."""
        return {
            "id": self.id,
            "key": self.key,
            "value": self.text,
            "valid_from": self.valid_from.isoformat(),
            "act": self.act,
            "evidence": self.evidence,
            "unverified": self.unverified,
        }


@dataclass(frozen=True)
class ParameterBook:
    """Many keys read at once, answered from memory; for decisions that need several and for engines."""

    rows: dict[str, list[Parameter]]

    @classmethod
    def load(
        cls, organisation: Organisation, prefix: str | Iterable[str] = "", *, known_at: datetime | None = None
    ) -> ParameterBook:
        """All rows whose key begins with ``prefix`` (or one of several), in one query.

        Time: only what was recorded by ``known_at``, when given.
        """
        prefixes = [prefix] if isinstance(prefix, str) else list(prefix)
        matching = Q()
        for start in prefixes:
            matching |= Q(key__startswith=start)
        rows: dict[str, list[Parameter]] = {}
        for row in _known(organisation, _candidates(organisation).filter(matching), known_at):
            rows.setdefault(row.key, []).append(row)
        return cls({key: _by_precedence(found) for key, found in rows.items()})

    def get(self, key: str, on: date) -> ParameterValue | None:
        """The value that holds on the day, or None."""
        for row in self.rows.get(key, ()):
            if row.valid_from <= on and (row.valid_to is None or on < row.valid_to):
                return _value(row)
        return None

    def value(self, key: str, on: date) -> ParameterValue:
        """The value that holds on the day. Raises: ParameterMissing."""
        found = self.get(key, on)
        if found is None:
            raise ParameterMissing(key=key, on=on)
        return found


def parameter_value(
    organisation: Organisation, key: str, on: date, *, known_at: datetime | None = None
) -> ParameterValue:
    """The value of one key on a day: the organisation's own row, else its jurisdiction's, else the general one.

    Raises: ParameterMissing.
    """
    rows = _known(organisation, _candidates(organisation).filter(key=key), known_at)
    return ParameterBook({key: _by_precedence(rows)}).value(key, on)


def _candidates(organisation: Organisation) -> QuerySet[Parameter]:
    return Parameter.objects.filter(
        Q(organisation=organisation, jurisdiction=organisation.jurisdiction)
        | Q(organisation__isnull=True, jurisdiction__in=[organisation.jurisdiction, FALLBACK])
    )


def confirmations(organisation: Organisation) -> QuerySet[ParameterProposal]:
    """Approved proposals that left the value on record as it was."""
    given = ParameterProposal.objects.filter(organisation=organisation, status="approved", parameter=None)
    # One with a reason put the value right in place.
    return given.filter(reason="")


def with_confirmations(
    organisation: Organisation, rows: Iterable[Parameter], known_at: datetime | None = None
) -> list[Parameter]:
    """Rows with who confirmed them for the organisation; one query when any is unverified.

    Time: only what was approved by ``known_at``, when given.
    """
    found = list(rows)
    keys = {row.key for row in found if row.unverified}
    if keys:
        given = confirmations(organisation).filter(key__in=keys).select_related("author", "approver").order_by("id")
        given = given if known_at is None else given.filter(status_at__lte=known_at)
        confirmed = {(row.key, row.valid_from, row.value): row for row in given}
        for row in found:
            row.confirmation = confirmed.get((row.key, row.valid_from, row.value)) if row.unverified else None
    return found


def _known(organisation: Organisation, rows: QuerySet[Parameter], known_at: datetime | None) -> list[Parameter]:
    known = rows if known_at is None else known_rows(rows.filter(recorded_at__lte=known_at), known_at)
    return with_confirmations(organisation, known, known_at)


def _by_precedence(rows: Iterable[Parameter]) -> list[Parameter]:
    return sorted(rows, key=lambda row: (row.organisation_id is None, row.jurisdiction == FALLBACK, row.valid_from))


def _value(row: Parameter) -> ParameterValue:
    said = row.confirmation or row
    source = {"act": said.act, "article": said.article, "evidence": said.evidence}
    return ParameterValue(row.pk, row.key, row.value, row.valid_from, unverified=row.unverified, **source)
