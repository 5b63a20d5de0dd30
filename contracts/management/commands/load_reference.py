"""`manage.py load_reference`: bring national parameters, calendars and codes to what the shipped files say.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from config.clock import business_now
from contracts.actions.reference import load_reference


class Command(BaseCommand):
    help = "Load the reference data that ships with the product. Repeating it changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        for item in load_reference(at=business_now()):
            self.stdout.write(f"{item.table}: {item.read} read, {item.created} created, {item.changed} changed")
