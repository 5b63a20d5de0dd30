"""manage.py connect_stripe_account: the account at Stripe to which a provider may be paid by transfer."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.audit.actors import SYSTEM
from config.clock import business_now
from config.errors import DomainError
from settlement.actions.connected_accounts import connect_account


class Command(BaseCommand):
    help = "Record a provider's account at Stripe (acct_...). Approvers of payment runs sign the account they pay to."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("provider", help="code of the provider")
        parser.add_argument("account", help="acct_...")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            connect_account(
                provider_code=options["provider"], account=options["account"], actor=SYSTEM, at=business_now()
            )
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{options['provider']} can be paid to {options['account']}")
