"""`manage.py check_translations`: every message of the source has both translations."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import translations


class Command(BaseCommand):
    """Exits 1 and names what is missing."""

    help = "Refuse message ids without a Ukrainian or Russian text."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Check."""
        found = translations.problems()
        for problem in found:
            self.stderr.write(problem)
        if found:
            raise CommandError(f"{len(found)} messages are not translated: fill config/locale/fragments and merge.")
        self.stdout.write("Every message is translated into Ukrainian and Russian.")
