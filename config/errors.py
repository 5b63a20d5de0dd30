"""Expected refusals and their one mapping to HTTP.

A refused request is a ``DomainError`` subclass defined beside the action that raises it. A refused claim line is
a result, never an exception. A bug is a crash.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import is_aware, localtime
from django.utils.translation import gettext_lazy as _

from config.figures import written

# Decimal places of a figure -> how it is read: amounts keep two, rates at least two, units none they do not need.
PATTERNS = {2: "#,##0.00", 4: "#,##0.00##"}


def _readable(value: Any) -> Any:
    """A figure or a day as the reader writes it; everything else as it is."""
    if isinstance(value, datetime):
        return date_format(localtime(value) if is_aware(value) else value, "SHORT_DATETIME_FORMAT")
    if isinstance(value, date):
        return date_format(value, "SHORT_DATE_FORMAT")
    if isinstance(value, Decimal) and value.is_finite():
        pattern = PATTERNS.get(-int(value.as_tuple().exponent), "#,##0.###")
        return written(value, pattern)
    return value


class DomainError(Exception):
    """A refusal with a code, a sentence saying what happened and what to do, and its figures.

    Subclasses set ``code`` and ``message`` (lazy translatable, %-placeholders filled from ``params``).
    """

    code: str = "REFUSED"
    message: str | Promise = _("This is not possible now. Check the state of the record and try again.")
    http_status: int = 409
    # Mark of the record to look at first ("app.model:pk"), a link for those who may open it.
    about: str = ""
    # Of a request with rows: the row (from 0) and the field of it that is refused.
    place: tuple[int, str] | None = None

    def __init__(self, **params: Any) -> None:
        self.params = params
        super().__init__(self.code)

    @property
    def sentence(self) -> str:
        """The refusal in the reader's language."""
        params = {key: _readable(value) for key, value in self.params.items()}
        # A plural takes its form when the figures come in.
        return str(self.message % params) if params else str(self.message)

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}"

    def as_problem(self) -> dict[str, Any]:
        """RFC 9457 problem body; its ``params`` are for machines and stay as they are."""
        params = {key: str(value) for key, value in self.params.items()}
        return {
            "type": f"urn:problem:{self.code}",
            "title": self.code,
            "status": self.http_status,
            "detail": self.sentence,
            "params": params,
        }


class NotPermitted(DomainError):
    """The role table does not allow this person to do this."""

    code = "NOT_PERMITTED"
    message = _("Your role does not allow this. Ask the administrator of your organisation.")
    http_status = 403


class NotFound(DomainError):
    """The record does not exist, or this person must not learn that it does."""

    code = "NOT_FOUND"
    message = _("There is no such record, or it is not yours to see.")
    http_status = 404


class FourEyes(DomainError):
    """The same person may not take two conflicting steps."""

    code = "FOUR_EYES"
    message = _("You have already taken a step here. Another person must take this one.")
