# ruff: noqa: S608 - table and column names are constants of this package; values are parameters
"""Importing a package: one action, all or nothing unless told otherwise, repeatable, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from config.accounts.models import Organisation
from config.accounts.organisations import USUAL
from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.interchange.loaders import LOADERS
from config.interchange.loading import Stage, business_parameters, prepare, record_refused_keys
from config.interchange.refusals import Ignored, OrganisationDiffers, OrganisationUnclear, Refusal
from config.interchange.sources import Source, SourceTable
from config.interchange.specs import Loader
from config.interchange.tables import OPTIONAL_TABLES
from config.transactions import step
from vouchers.actions.guests_told import last_facts, tell_hosts_of_new

Progress = Callable[[str, int], None]


@dataclass
class TableCount:
    """Rows of one table."""

    table: str
    read: int = 0
    created: int = 0
    unchanged: int = 0
    refused: int = 0


@dataclass
class ImportReport:
    """What an import did, or would do."""

    organisation: str
    imported: bool
    dry_run: bool
    tables: list[TableCount] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """Rows refused in all."""
        return sum(count.refused for count in self.tables) + sum(1 for r in self.refusals if r.row <= 1)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "organisation": self.organisation,
            "imported": self.imported,
            "dry_run": self.dry_run,
            "tables": [asdict(count) for count in self.tables],
            "refused": [refusal.as_dict() for refusal in self.refusals],
            "ignored": [ignored.as_dict() for ignored in self.ignored],
        }


class _Undo(Exception):
    """Leaves the transaction with nothing written; carries the report."""

    def __init__(self, report: ImportReport) -> None:
        self.report = report
        super().__init__()


def import_package(
    *,
    source: Source,
    actor: Actor,
    at: datetime,
    dry_run: bool = False,
    accept_good_rows: bool = False,
    organisation: str = "",
    progress: Progress = lambda table, rows: None,
) -> ImportReport:
    """Read a package into the database.

    Without ``accept_good_rows`` one refused row refuses the whole package. ``dry_run`` changes nothing in any case.
    ``organisation`` names the municipality when the package does not (a bare workbook).

    Raises: PackageUnreadable, OrganisationUnclear, OrganisationDiffers.
    Locks: imports of one municipality take turns.
    Who served people of the municipality elsewhere is told of facts of past months.
    Audit: package.imported with counts and the digest of the refusals; none when nothing changed.
    Idempotent: a row that is there already with the same values is counted as unchanged.
    """
    try:
        return _import(
            source=source,
            dry_run=dry_run,
            accept_good_rows=accept_good_rows,
            organisation_code=organisation,
            progress=progress,
            actor=actor,
            at=at,
        )
    except _Undo as undone:
        return undone.report


@action
def _import(
    *,
    source: Source,
    dry_run: bool,
    accept_good_rows: bool,
    organisation_code: str,
    progress: Progress,
    actor: Actor,
    at: datetime,
) -> ImportReport:
    organisation, is_new = find_or_create_organisation(source.descriptor, organisation_code)
    report = ImportReport(organisation.code, imported=False, dry_run=dry_run, ignored=list(source.ignored))
    before = last_facts()
    load_tables(source, organisation, report, at=at, progress=progress, accept_good_rows=accept_good_rows)
    if dry_run or (report.refused and not accept_good_rows):
        raise _Undo(report)
    report.imported = True
    tell_hosts_of_new(organisation, before, at=at)
    if is_new or any(count.created for count in report.tables):
        counts = {count.table: count.created for count in report.tables if count.created}
        digest = sha256(repr(report.refusals).encode()).hexdigest()
        record(
            "package.imported", organisation, actor=actor, at=at, created=counts, refused=report.refused, digest=digest
        )
    else:
        nothing_to_record()
    return report


@step
def find_or_create_organisation(descriptor: dict[str, Any], code: str) -> tuple[Organisation, bool]:
    """The municipality that the package names, created when absent.

    Raises: OrganisationUnclear, OrganisationDiffers.
    """
    named = _named_organisation(descriptor) or ({"code": code} if code else {})
    if not named.get("code"):
        raise OrganisationUnclear()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7466930, hashtext(%s))", [named["code"]])
    known = Organisation.objects.filter(code=named["code"]).first()
    if known is None:
        return _create_organisation(named), True
    for name in ("name", "jurisdiction"):
        given = named.get(name) or getattr(known, name)
        if given != getattr(known, name):
            raise OrganisationDiffers(code=known.code, field=name, known=getattr(known, name), given=given)
    return known, False


def _named_organisation(descriptor: dict[str, Any]) -> dict[str, str]:
    named = descriptor.get("organisation")
    if isinstance(named, dict):
        return {key: str(value) for key, value in named.items() if value}
    if isinstance(named, str) and named:
        return {"code": named, "name": str(descriptor.get("title") or named)}
    # A package that follows the bare standard has a name and a title.
    title = str(descriptor.get("title") or descriptor.get("name") or "")
    return {"code": str(descriptor["name"]), "name": title} if descriptor.get("name") else {}


def _create_organisation(named: dict[str, str]) -> Organisation:
    jurisdiction = named.get("jurisdiction") or "UA"
    if jurisdiction not in USUAL or len(named["code"]) > 64:
        raise OrganisationUnclear()
    return Organisation.objects.create(
        code=named["code"],
        name=named.get("name") or named["code"],
        jurisdiction=jurisdiction,
        zone=named.get("zone") or USUAL[jurisdiction].zone,
        currency=named.get("currency") or USUAL[jurisdiction].currency,
    )


@step
def load_tables(
    source: Source,
    organisation: Organisation,
    report: ImportReport,
    *,
    at: datetime,
    progress: Progress,
    accept_good_rows: bool,
) -> None:
    """Stage every table, then check and insert them in the order of their dependence; the report is filled."""
    prepare()
    zone = ZoneInfo(organisation.zone)
    stages = []
    for loader in LOADERS:
        stage = Stage(loader, business_parameters(organisation.pk, organisation.jurisdiction, at))
        stage.create()
        stages.append(stage)
        if (table := source.tables.get(loader.name)) is not None:
            _read(stage, table, zone, report, progress, accept_good_rows=accept_good_rows)
    for stage in stages:
        loader, table = stage.loader, source.tables.get(stage.loader.name)
        count = TableCount(loader.name)
        if table is not None:
            stage.check()
            count.read = stage.read
            count.created, count.unchanged = stage.insert()
            count.refused = _count_refused(loader.name, with_children=accept_good_rows)
            report.ignored += _passed_over(stage, table.file)
        if table is not None or loader.name not in OPTIONAL_TABLES:
            report.tables.append(count)
    files = {name: table.file for name, table in source.tables.items()}
    report.refusals += _all_refusals(files, with_children=accept_good_rows)


def _passed_over(stage: Stage, file: str) -> list[Ignored]:
    found = [("RECALCULATED", stage.passed_over), ("NAME_KEPT", stage.kept)]
    told = [Ignored(file, code, rows=rows) for code, rows in found if rows]
    words = stage.unknown_words()
    return told + [Ignored(file, "WORD_UNKNOWN", column, row=row, value=value) for row, column, value in words]


def _read(
    stage: Stage,
    table: SourceTable,
    zone: ZoneInfo,
    report: ImportReport,
    progress: Progress,
    *,
    accept_good_rows: bool,
) -> None:
    rows = table.rows(zone)
    try:
        header = [name.strip() for name in next(rows, [])]
        if not any(header) and not any(any(cells) for cells in rows):
            # A file or sheet without any cell is an absent table.
            return
        unknown = [name for name in header if name not in stage.loader.table.names]
        problems = _header_problems(stage.loader, header)
        report.refusals += [Refusal(table.file, 1, name, "", code) for name, code in problems]
        if problems:
            # Rows that belong to these are not at fault.
            record_refused_keys(stage.loader.name, [None])
            return
        # Misspelt, a last day would be lost and nothing is overwritten later: so it is refused unless told otherwise.
        if accept_good_rows:
            report.ignored += [Ignored(table.file, "UNKNOWN_COLUMN", name) for name in unknown]
        else:
            report.refusals += [Refusal(table.file, 1, name, "", "UNKNOWN_COLUMN") for name in unknown]
        stage.copy(rows, header, lambda count: progress(stage.loader.name, count))
    except UnicodeDecodeError:
        report.refusals.append(Refusal(table.file, 1, "", "", "ENCODING"))
        record_refused_keys(stage.loader.name, [None])


def _header_problems(loader: Loader, header: list[str]) -> list[tuple[str, str]]:
    if not any(header) or len(set(header)) < len(header):
        return [("", "HEADER")]
    needed = [column.name for column in loader.table.columns if column.required or column.key]
    return [(name, "MISSING_COLUMN") for name in needed if name not in header]


def _children(with_children: bool) -> str:
    # All or nothing: a row whose parent was refused is not at fault itself; the parent's line says it all.
    return "" if with_children else " AND code <> 'PARENT_REFUSED'"


def _count_refused(table: str, *, with_children: bool) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT row_no) FROM interchange_refusal WHERE table_name = %s" + _children(with_children),
            [table],
        )
        return int(cursor.fetchone()[0])


def _all_refusals(files: dict[str, str], *, with_children: bool) -> list[Refusal]:
    order = {loader.name: place for place, loader in enumerate(LOADERS)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, row_no, col, coalesce(value, ''), code FROM interchange_refusal WHERE true"
            + _children(with_children)
        )
        rows = sorted(cursor.fetchall(), key=lambda row: (order[row[0]], row[1], row[2]))
    return [Refusal(files[table], number, column, value, code) for table, number, column, value, code in rows]
