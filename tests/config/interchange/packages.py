"""Helpers of the interchange tests: import a small package, look at what was refused."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from config.interchange.exporting import export_package
from config.interchange.importing import ImportReport, import_package
from config.interchange.sources import Source
from tests.conftest import AT
from tests.oracle.generate import write
from tests.oracle.small import Tables


def load(path: Path, *, at: datetime = AT, dry_run: bool = False, accept_good_rows: bool = False) -> ImportReport:
    """Import what lies at the path."""
    with Source(path) as source:
        return import_package(source=source, actor=SYSTEM, at=at, dry_run=dry_run, accept_good_rows=accept_good_rows)


def load_tables(tables: Tables, folder: Path, **options: bool) -> ImportReport:
    """Write the tables as a package and import it."""
    return load(write(tables, folder), **options)


def dump(path: Path, *, code: str = "TEST", at: datetime = AT) -> dict[str, bytes]:
    """Export a municipality; the files by name."""
    export_package(organisation=Organisation.objects.get(code=code), path=path, actor=SYSTEM, at=at)
    return {file.name: file.read_bytes() for file in path.iterdir()}


def refused(report: ImportReport) -> list[tuple[str, int, str, str, str]]:
    """File, row, column, value and code of every refusal."""
    return [(r.file, r.row, r.column, r.value, r.code) for r in report.refusals]
