"""What commands share: how they refuse."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand

from config.errors import DomainError


class RefusingCommand(BaseCommand):
    """A refusal ends the command: a sentence among the errors, with ``--json`` the problem body in the output."""

    refused_code = 1

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except DomainError as refusal:
            if options.get("json"):
                self.stdout.write(json.dumps(refusal.as_problem(), ensure_ascii=False))
            else:
                self.say_refused(refusal)
            sys.exit(self.refused_code)

    def say_refused(self, refusal: DomainError) -> None:
        """The refusal for people."""
        self.stderr.write(str(refusal))
