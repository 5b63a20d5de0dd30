"""`manage.py merge_translations`: build the catalogues from the source and the fragments."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from config import translations


class Command(BaseCommand):
    """Writes django.po of uk and ru; says what is still missing."""

    help = "Merge config/locale/fragments/*.tsv into the catalogues."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Write and report."""
        for language in translations.LANGUAGES:
            path = translations.write(language)
            self.stdout.write(str(path.relative_to(translations.settings.BASE_DIR)))
        for problem in translations.problems():
            self.stdout.write(problem)
