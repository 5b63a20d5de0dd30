"""manage.py import_package PATH: a municipality's spreadsheets into the database."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from tqdm import tqdm

from config.audit.actors import SYSTEM
from config.clock import business_now
from config.commands import RefusingCommand
from config.interchange.importing import ImportReport, import_package
from config.interchange.refusals import Ignored
from config.interchange.sources import Source

SHOWN = 200


class Command(RefusingCommand):
    """Exit codes: 0 imported (or nothing to refuse in a dry run), 1 refused, 2 wrong usage."""

    help = "Import a package (folder, .zip or .xlsx). All or nothing unless --accept-good-rows is given."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and change nothing")
        parser.add_argument("--accept-good-rows", action="store_true", help="import the good rows, refuse the others")
        parser.add_argument("--organisation", default="", help="code of the municipality, if the package names none")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        report = self._import(options)
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict(), ensure_ascii=False, indent=1))
        else:
            self._say(report)
        if not report.imported and report.refused:
            sys.exit(1)

    def _import(self, options: dict[str, Any]) -> ImportReport:
        with (
            Source(options["path"]) as source,
            tqdm(unit=" rows", file=sys.stderr, disable=not sys.stderr.isatty()) as bar,
        ):

            def progress(table: str, rows: int) -> None:
                bar.set_description(table)
                bar.update(rows)

            return import_package(
                source=source,
                actor=SYSTEM,
                at=business_now(),
                dry_run=options["dry_run"],
                accept_good_rows=options["accept_good_rows"],
                organisation=options["organisation"],
                progress=progress,
            )

    def _say(self, report: ImportReport) -> None:
        head = f"{_('table'):24}{_('read'):>10}{_('created'):>10}{_('unchanged'):>12}{_('refused'):>10}"
        self.stdout.write(head)
        for count in report.tables:
            self.stdout.write(
                f"{count.table:24}{count.read:>10}{count.created:>10}{count.unchanged:>12}{count.refused:>10}"
            )
        for refusal in report.refusals[:SHOWN]:
            place = f"{refusal.file}:{refusal.row} {refusal.column}={refusal.value!r}"
            self.stdout.write(f"{place} {refusal.code}: {refusal.sentence}")
        self._say_more(len(report.refusals))
        for ignored in report.ignored[:SHOWN]:
            self.stdout.write(f"{self._place(ignored)}: {ignored.sentence}")
        self._say_more(len(report.ignored))
        self.stdout.write(self._verdict(report))

    def _say_more(self, count: int) -> None:
        if count > SHOWN:
            self.stdout.write(_("… and %(count)s more; --json shows all.") % {"count": count - SHOWN})

    def _place(self, ignored: Ignored) -> str:
        if ignored.row:
            return f"{ignored.file}:{ignored.row} {ignored.column}={ignored.value!r}"
        rows = _("(rows: %(count)s)") % {"count": ignored.rows}
        return " ".join(filter(None, [ignored.file, ignored.column, rows if ignored.rows else ""]))

    def _verdict(self, report: ImportReport) -> str:
        if report.dry_run:
            return _("Dry run: nothing was changed.")
        if report.imported:
            return _("Imported into %(organisation)s.") % {"organisation": report.organisation}
        return _("Nothing was imported: correct the rows above, or accept the good ones with --accept-good-rows.")
