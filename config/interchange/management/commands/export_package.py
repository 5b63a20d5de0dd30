"""manage.py export_package PATH: a municipality as spreadsheets, results included."""

from __future__ import annotations

import getpass
import json
import os
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.accounts.access import permitted
from config.accounts.organisations import organisation_named
from config.audit.actors import SYSTEM
from config.clock import business_now
from config.commands import RefusingCommand
from config.interchange.exporting import export_package
from config.periods import parse_month

_FACTS_OF_RUN = gettext_lazy(
    "The facts are those that were known when the run was made. Runs before it are in it as decided."
)
_FACTS_OF_NOW = gettext_lazy(
    "The facts are those known now. A run that was judged before one of them became known comes out otherwise when it "
    "is recalculated from them: export it with --run MONTH/NUMBER."
)


def month(text: str) -> date:
    """An argument written YYYY-MM."""
    try:
        return parse_month(text)
    except ValueError as problem:
        raise ArgumentTypeError(_("write the month as 2025-11")) from problem


def run_number(text: str) -> tuple[date | None, int]:
    """A run: its number, or month and number as 2025-11/2."""
    before, slash, number = text.rpartition("/")
    try:
        found = (parse_month(before) if slash else None), int(number)
    except ValueError as problem:
        raise ArgumentTypeError(_("write the run as 2, or as 2025-11/2")) from problem
    if found[1] < 1:
        raise ArgumentTypeError(_("write the run as 2, or as 2025-11/2"))
    return found


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        return str(os.getuid())


class Command(RefusingCommand):
    """Exit codes: 0 exported, 1 refused, 2 wrong usage."""

    help = "Export a municipality as a package (folder or .zip). Unmasked unless --pseudonymise; logged in the trail."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--period", type=month, help="claims up to this month, results of this month")
        parser.add_argument("--run", type=run_number, help="one run: 2025-11/2; its facts, its results")
        parser.add_argument("--organisation", default="", help="code of the municipality, if there are several")
        parser.add_argument("--pseudonymise", action="store_true", help="no names, fingerprints instead of codes")
        parser.add_argument("--as", dest="username", default="", help="the person who exports, named in the trail")
        parser.add_argument("--json", action="store_true", help="print the files as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        run_month, run = options["run"] or (None, None)
        organisation = organisation_named(options["organisation"])
        username = options["username"]
        exported = export_package(
            organisation=organisation,
            path=options["path"],
            actor=permitted(username, organisation, "packages.export") if username else SYSTEM,
            operator="" if username else _account(),
            at=business_now(organisation.clock_offset),
            period=options["period"] or run_month,
            run=run,
            pseudonymise=options["pseudonymise"],
        )
        if options["json"]:
            tables = [asdict(table) for table in exported]
            facts = "as known at the run" if run else "as known now"
            told = {"organisation": organisation.code, "facts": facts, "tables": tables}
            self.stdout.write(json.dumps(told, indent=1))
            return
        for table in exported:
            self.stdout.write(f"{table.file:32}{table.rows:>10}  {table.sha256[:16]}")
        self.stdout.write(
            _("Exported %(organisation)s to %(path)s.") % {"organisation": organisation.code, "path": options["path"]}
        )
        self.stdout.write(str(_FACTS_OF_RUN if run else _FACTS_OF_NOW))
