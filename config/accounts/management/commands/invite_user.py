"""manage.py invite_user: the first people of an installation; the password is told once."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.accounts.models import Organisation
from config.accounts.people_actions import invite_user
from config.audit.actors import SYSTEM
from config.clock import business_now
from config.errors import DomainError
from config.roles import PROVIDER, RECIPIENT, ROLE_TITLES

WITHOUT_OFFICE = {PROVIDER, RECIPIENT}


class Command(BaseCommand):
    help = "Create a person with roles and print a password for the first sign-in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", action="append", required=True, choices=sorted(ROLE_TITLES))
        parser.add_argument("--organisation", help="code of the organisation; not for providers and recipients")
        parser.add_argument("--name", default="", help="name as it is shown")

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = Organisation.objects.filter(code=options["organisation"]).first()
        if organisation is None and not set(options["role"]) <= WITHOUT_OFFICE:
            codes = Organisation.objects.values_list("code", flat=True)
            known = ", ".join(codes) or "none yet: begin with create_municipality"
            raise CommandError(f"These roles are held in an organisation: name it with --organisation ({known}).")
        password = secrets.token_urlsafe(12)
        try:
            invite_user(
                username=options["username"],
                display_name=options["name"],
                roles=options["role"],
                organisation=organisation,
                password=password,
                actor=SYSTEM,
                at=business_now(organisation.clock_offset if organisation else None),
            )
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{options['username']} can sign in with the password {password}")
