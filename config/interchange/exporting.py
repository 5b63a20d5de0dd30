"""Exporting a package: all tables of one municipality, streamed by COPY, the same bytes for the same data."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from django.db import connection

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, record
from config.fields import EncryptedTextField, blind_index
from config.interchange.descriptor import describe
from config.interchange.export_queries import INPUT_QUERIES
from config.interchange.export_results import OPTIONAL_QUERIES, OUTPUT_QUERIES
from config.interchange.loading import stream
from config.interchange.run_facts import require_kept, run_named
from config.interchange.tables import INPUT_TABLES, OPTIONAL_TABLES, OUTPUT_TABLES
from contracts.models import Worker
from settlement.models import AdjudicationRun
from vouchers.models import Recipient

# Encrypted columns are written in Python: the database cannot read them.
_PERSONAL: dict[str, tuple[type[Worker] | type[Recipient], int]] = {
    "workers": (Worker, 2),
    "recipients": (Recipient, 1),
}
_FAR = date(9000, 1, 1)
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class ExportedTable:
    """A written file."""

    table: str
    file: str
    rows: int
    sha256: str


@action
def export_package(
    *,
    organisation: Organisation,
    path: Path,
    actor: Actor,
    at: datetime,
    period: date | None = None,
    run: int | None = None,
    pseudonymise: bool = False,
    operator: str = "",
) -> list[ExportedTable]:
    """Write every table of a municipality into a folder or a .zip.

    ``period`` (first day of a month): claims up to that month, whose history a recalculation needs, and the results
    of that month alone. ``run``, by its number (of that month; else the only run of that number): the results of that
    run alone, the facts as they were known when it was made, and what the runs before it decided. ``operator``: who
    typed the command, where nobody signed in. ``pseudonymise``: keyed fingerprints instead of the codes of recipients,
    workers, certificates and visits, no names, birth years only, days of death only where a recalculation needs them,
    no free text.

    Privileged: without pseudonyms it unmasks personal data. Audit: package.exported with digests of the files.
    Raises: RunUnknown, RunUnclear; FactsNotKept, SeveralResidences when the facts of the run cannot be told exactly.
    """
    _one_snapshot()
    chosen = run_named(organisation, period, run) if run else None
    parameters = _parameters(organisation, period, chosen, pseudonymise)
    if chosen:
        require_kept(chosen, parameters)
    with _times_of(organisation.zone):
        exported = _write_package(organisation, path, chosen, parameters)
    record(
        "package.exported",
        organisation,
        actor=actor,
        at=at,
        period=chosen.period if chosen else period,
        run=run,
        pseudonymised=pseudonymise,
        **({"operator": operator} if operator else {}),
        rows={table.table: table.rows for table in exported},
        digest=sha256("".join(table.sha256 for table in exported).encode()).hexdigest(),
    )
    return exported


def _parameters(
    organisation: Organisation, period: date | None, run: AdjudicationRun | None, pseudonymise: bool
) -> dict[str, Any]:
    period = run.period if run else period
    return {
        "org": organisation.pk,
        "jurisdiction": organisation.jurisdiction,
        # A run of a later month may have been made before the run that is asked for.
        "until": _FAR if run or not period else period,
        "month": period or _FAR,
        "period": period,
        "run": run.pk if run else None,
        "known_at": run.known_at if run else "infinity",
        "pseudonymise": pseudonymise,
        "secret": blind_index(organisation.code, purpose="pseudonym"),
    }


def _one_snapshot() -> None:
    """All tables as of one moment."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


@contextmanager
def _times_of(zone: str) -> Iterator[None]:
    """The database writes times in the municipality's zone. What Python reads meanwhile would be another moment."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
        yield
        # The trail hashes what the database shows: back to the zone it always uses.
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [connection.timezone_name])


def _write_package(
    organisation: Organisation, path: Path, run: AdjudicationRun | None, parameters: dict[str, Any]
) -> list[ExportedTable]:
    zipped = path.suffix.lower() == ".zip"
    (path.parent if zipped else path).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent if zipped else path, prefix=".export-") as scratch:
        exported = _write_files(organisation, Path(scratch), run, parameters)
        names = [table.file for table in exported] + ["datapackage.json"]
        if zipped:
            _zip(Path(scratch), names, path)
        else:
            for name in names:
                os.replace(Path(scratch) / name, path / name)
            for name in OPTIONAL_TABLES:
                if f"{name}.csv" not in names:
                    (path / f"{name}.csv").unlink(missing_ok=True)
    return exported


def _write_files(
    organisation: Organisation, folder: Path, run: AdjudicationRun | None, parameters: dict[str, Any]
) -> list[ExportedTable]:
    exported = []
    for name, table in (INPUT_TABLES | OUTPUT_TABLES | OPTIONAL_TABLES).items():
        file = folder / f"{name}.csv"
        sql = (INPUT_QUERIES | OUTPUT_QUERIES | OPTIONAL_QUERIES)[name].sql
        with file.open("w+b") as raw:
            raw.write((",".join(table.names) + "\n").encode())
            rows = _write_personal(name, sql, parameters, raw) if name in _PERSONAL else _copy(sql, parameters, raw)
            if rows or name not in OPTIONAL_TABLES:
                exported.append(ExportedTable(name, file.name, rows, _digest(raw)))
    optional = [table.table for table in exported if table.table in OPTIONAL_TABLES]
    text = json.dumps(describe(organisation, optional, run), ensure_ascii=False, indent=2) + "\n"
    (folder / "datapackage.json").write_text(text, encoding="utf-8")
    return exported


def _copy(sql: str, parameters: dict[str, Any], raw: IO[bytes]) -> int:
    with connection.cursor() as cursor:
        # Past Django's wrapper: the one that writes queries down takes no parameters here.
        with cursor.cursor.copy(f"COPY ({sql}) TO STDOUT WITH (FORMAT csv)", parameters) as copy:  # type: ignore[attr-defined]
            for block in copy:
                raw.write(block)
        return int(cursor.rowcount)


def _write_personal(name: str, sql: str, parameters: dict[str, Any], raw: IO[bytes]) -> int:
    model, place = _PERSONAL[name]
    field = model._meta.get_field("name")
    assert isinstance(field, EncryptedTextField)
    text = io.TextIOWrapper(raw, encoding="utf-8", newline="", write_through=True)
    writer, count = csv.writer(text, lineterminator="\n"), 0
    for row in stream(sql, parameters):
        cells = list(row)
        cells[place] = "" if parameters["pseudonymise"] else field.decrypt(bytes(cells[place] or b""))
        writer.writerow(cells)
        count += 1
    text.detach()
    return count


def _digest(raw: IO[bytes]) -> str:
    raw.seek(0)
    digest = sha256()
    while block := raw.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _zip(folder: Path, names: list[str], path: Path) -> None:
    """The same files give the same bytes: entries carry no time of writing."""
    partial = folder / "package.zip"
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            with archive.open(entry, "w") as target, (folder / name).open("rb") as source:
                while block := source.read(1 << 20):
                    target.write(block)
    os.replace(partial, path)
