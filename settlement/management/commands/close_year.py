"""manage.py close_year: prepare the closing of a year in one person's name, approve it in another's."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.accounts.models import Organisation, User
from config.clock import business_now
from config.errors import DomainError
from settlement.actions.year_close import approve_year_closing, propose_year_closing
from settlement.models import YearClosing
from settlement.year_queries import year_closings


class Command(BaseCommand):
    help = "Prepare the closing of a year; with --approve, approve the prepared one. Two people sign."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organisation", help="code of the organisation")
        parser.add_argument("year", type=int)
        parser.add_argument("--by", required=True, help="sign-in name of the person who signs")
        parser.add_argument("--approve", action="store_true", help="approve what another person prepared")

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = Organisation.objects.filter(code=options["organisation"]).first()
        user = User.objects.filter(username=options["by"]).first()
        if organisation is None or user is None:
            raise CommandError("no such organisation or person")
        try:
            closing = self._sign(organisation, options["year"], user, approve=options["approve"])
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal
        for row in closing.plan["lines"]:
            carried = row["carried_commitments"] + row["carried_reservations"]
            self.stdout.write(f"{row['code']}: spent {row['spent']}, carried {carried}, lapsed {row['lapsed']}")
        self.stdout.write(f"{closing.year}: {closing.status}")

    def _sign(self, organisation: Organisation, year: int, user: User, *, approve: bool) -> YearClosing:
        shared: dict[str, Any] = {"organisation": organisation, "actor": user.as_actor()}
        shared["at"] = business_now(organisation.clock_offset)
        if not approve:
            return propose_year_closing(year=year, **shared)
        closing = year_closings(organisation).filter(year=year, status="proposed").first()
        if closing is None:
            raise CommandError(f"no closing of {year} waits for approval")
        return approve_year_closing(closing_id=closing.pk, content_sha256=closing.content_sha256, **shared)
