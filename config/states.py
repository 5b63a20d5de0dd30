"""State tables: one table of frozensets per model, checked in Python and by a trigger made from the same table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.errors import DomainError
from config.statuses import label_of_status
from config.versions import VersionedModel


class InvalidMove(DomainError):
    """The state table does not allow this step."""

    code = "INVALID_STATE"
    message = _("This record is «%(status)s» and cannot become «%(target)s». Reload the page to see its present state.")
    already = _("This record is «%(status)s» already. Reload the page to see its present state.")

    @property
    def sentence(self) -> str:
        """The refusal with the states in the reader's words; the parameters keep their codes."""
        states = {key: label_of_status(str(code)) for key, code in self.params.items()}
        same = self.params["status"] == self.params["target"]
        return str((self.already if same else self.message) % states)


@dataclass(frozen=True)
class StateTable:
    """Allowed moves and the states in which a row may be born."""

    moves: Mapping[str, frozenset[str]]
    initial: frozenset[str]

    def allows(self, old: str, new: str) -> bool:
        """Whether ``old -> new`` is in the table."""
        return new in self.moves.get(old, frozenset())

    @property
    def states(self) -> list[str]:
        """Every state, sorted."""
        return sorted(set(self.moves) | set().union(*self.moves.values()) | self.initial)

    def triggers(self, name: str) -> list[pgtrigger.Trigger]:
        """Triggers that refuse what the table does not allow."""
        pairs = [(old, new) for old, news in sorted(self.moves.items()) for new in sorted(news)]
        return [
            pgtrigger.FSM(name=f"{name}_moves", field="status", transitions=pairs),
            pgtrigger.Protect(
                name=f"{name}_birth",
                operation=pgtrigger.Insert,
                condition=~pgtrigger.Q(new__status__in=sorted(self.initial)),
            ),
        ]


class StatefulModel(models.Model):
    """A row with a business state that only moves along its table."""

    STATES: ClassVar[StateTable]

    status = models.CharField(max_length=16)
    status_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def move_to(self, status: str, *, at: datetime) -> None:
        """Move and save. Raises: InvalidMove."""
        self.check_move(status)
        self.status, self.status_at = status, at
        self.save(update_fields=["status", "status_at"])

    def check_move(self, status: str) -> None:
        """Raises: InvalidMove."""
        if not self.STATES.allows(self.status, status):
            raise InvalidMove(status=self.status, target=status)


class VersionedState(StatefulModel, VersionedModel):
    """A row whose earlier states stay known."""

    class Meta:
        abstract = True

    def move_to(self, status: str, *, at: datetime, **values: Any) -> None:
        """Move and save, together with what else the move says. Raises: InvalidMove."""
        self.check_move(status)
        self.change(at=at, status=status, status_at=at, **values)
