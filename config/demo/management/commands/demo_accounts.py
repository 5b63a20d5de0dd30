"""`manage.py demo_accounts`: who can sign in on a demonstration."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.accounts.models import Organisation
from config.demo.accounts import demo_accounts, demo_certificate, expected_accounts


class Command(BaseCommand):
    """Prints one line per person; before the demo is loaded, the people it will bring."""

    help = "Print the accounts of the demonstration (--json for programs)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Options."""
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print."""
        rows = demo_accounts()
        if not rows and not Organisation.objects.exists():
            rows = expected_accounts()
        if options["json"]:
            self.stdout.write(json.dumps(rows, ensure_ascii=False))
            return
        for row in rows:
            self.stdout.write(f"{row['username']:<10} {row['password']:<20} {row['role']} · {row['name']}")
        voucher = demo_certificate()
        if voucher:
            self.stdout.write(f"Certificate of olena: short code {voucher['short_code']}, PIN {voucher['pin']}")
