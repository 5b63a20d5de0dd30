"""manage.py export_journal --format hledger|beancount --out FILE: the books for an independent reader."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils.translation import ngettext
from tqdm import tqdm

from config.accounts.organisations import organisation_named
from config.clock import business_now, local_date
from config.commands import RefusingCommand
from settlement.journal import FORMATS, journal_lines


class Command(RefusingCommand):
    """Exit codes: 0 exported, 1 refused, 2 wrong usage."""

    help = "Export the ledger as a journal that hledger or bean-check proves. It names no person."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", choices=FORMATS, required=True, help="whose language the journal speaks")
        parser.add_argument("--out", type=Path, required=True, help="the file to write, replaced if it is there")
        parser.add_argument("--as-of", type=date.fromisoformat, help="last day that is exported, YYYY-MM-DD")
        parser.add_argument("--organisation", default="", help="code of the municipality, if there are several")
        parser.add_argument("--json", action="store_true", help="print the summary as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = organisation_named(options["organisation"])
        until = options["as_of"] or local_date(business_now(organisation.clock_offset), organisation.zone)
        lines = self._write(options["out"], journal_lines(organisation, form=options["format"], until=until))
        told = {"organisation": organisation.code, "as_of": f"{until}", "lines": lines, "file": str(options["out"])}
        sentence = ngettext(
            "%(lines)s line of the books of %(organisation)s until %(as_of)s written to %(file)s.",
            "%(lines)s lines of the books of %(organisation)s until %(as_of)s written to %(file)s.",
            lines,
        )
        self.stdout.write(json.dumps(told) if options["json"] else sentence % told)

    @staticmethod
    def _write(path: Path, journal: Any) -> int:
        """A file that is there is whole: the new one takes its place at the end. One snapshot reads it all."""
        unfinished = path.with_name(f".{path.name}.part")
        bar = tqdm(journal, unit=" lines", file=sys.stderr, disable=not sys.stderr.isatty())
        with transaction.atomic(), unfinished.open("w", encoding="utf-8") as file:
            connection.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            lines = sum(1 for line in bar if file.write(f"{line}\n"))
        os.replace(unfinished, path)
        return lines
