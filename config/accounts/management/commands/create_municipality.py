"""manage.py create_municipality: the first step of an installation without the demonstration."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.accounts.actions import create_organisation
from config.accounts.organisations import USUAL
from config.audit.actors import SYSTEM
from config.clock import business_now
from config.errors import DomainError


class Command(BaseCommand):
    help = "Register a municipality. Its first people come with invite_user, everything else by the pages."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="short code in Latin letters, e.g. verbivka")
        parser.add_argument("name", help="name as it is shown and printed")
        parser.add_argument("--profile", choices=sorted(USUAL), default="UA", help="whose law counts (UA)")
        parser.add_argument("--currency", default="", help="if not that of the profile")
        parser.add_argument("--zone", default="", help="time zone, if not that of the profile, e.g. Europe/Kyiv")
        parser.add_argument("--iban", default="", help="account from which it pays")
        parser.add_argument("--registration-code", default="", help="code in the state register")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = create_organisation(
                code=options["code"],
                name=options["name"],
                jurisdiction=options["profile"],
                currency=options["currency"],
                zone=options["zone"],
                iban=options["iban"],
                registration_code=options["registration_code"],
                actor=SYSTEM,
                at=business_now(),
            )
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{made.code}: {made.name}, {made.jurisdiction}, {made.currency}, {made.zone}")
        self.stdout.write(f"Next: invite_user NAME --role administrator --organisation {made.code}")
