"""manage.py settle --period YYYY-MM: adjudicate a month, run by run."""

from __future__ import annotations

import json
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from config.accounts.models import Organisation
from config.accounts.organisations import organisation_named
from config.audit.actors import SYSTEM
from config.clock import business_now, local_date
from config.commands import RefusingCommand
from config.interchange.management.commands.export_package import month
from config.interchange.settling import RunSummary, given_unused, settle_month


def day(text: str) -> date:
    """An argument written YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise ArgumentTypeError(_("write the day as 2025-12-05")) from problem


class Command(RefusingCommand):
    """Exit codes: 0 settled (or nothing left to settle), 1 refused with a code, 2 wrong usage."""

    help = "Adjudicate the submitted claims of a month, all its runs in order, and print what came of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--period", type=month, required=True, help="the month, as 2025-11")
        parser.add_argument("--as-of", type=day, help="what was recorded by this day counts; today by default")
        parser.add_argument("--organisation", default="", help="code of the municipality, if there are several")
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = organisation_named(options["organisation"])
        runs = self._settle(organisation, options["period"], options["as_of"])
        period, unused = f"{options['period']:%Y-%m}", given_unused(organisation, options["period"])
        if options["json"]:
            figures = [asdict(run) for run in runs]
            told = {"organisation": organisation.code, "period": period, "runs": figures, "given_unused": unused}
            self.stdout.write(json.dumps(told, indent=1))
        else:
            self._say(period, runs, unused)

    def _settle(self, organisation: Organisation, period: date, as_of: date | None) -> list[RunSummary]:
        at = business_now(organisation.clock_offset)
        return settle_month(
            organisation=organisation,
            period=period,
            as_of=as_of or local_date(at, organisation.zone),
            actor=SYSTEM,
            at=at,
        )

    def _say(self, period: str, runs: list[RunSummary], unused: int) -> None:
        if unused:
            words = _("Given findings not used, their run did not judge the line: %(count)s.")
            self.stdout.write(words % {"count": unused})
        if not runs:
            self.stdout.write(_("Nothing is left to settle in %(period)s.") % {"period": period})
            return
        names = list(asdict(runs[0]))
        self.stdout.write("".join(f"{name:>16}" for name in names))
        for run in runs:
            self.stdout.write("".join(f"{value!s:>16}" for value in asdict(run).values()))
