"""A big month there and back: settled, exported as a package, imported into an empty database, settled again, compared.

    python -m tests.benchmarks.million [--lines 1000000] [--folder FOLDER]

Works in two scratch databases of the server that DATABASE_URL names, one after the other; the folder holds both
packages (about 1 GB for a million lines) and is emptied afterwards. Ends with code 1 when a byte differs.
"""

from __future__ import annotations

import argparse
import filecmp
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.adjudicate_lines import (
    AT,
    BEFORE,
    MONTH,
    generate,
    measure,
    print_figures,
    scratch_database,
    timed,
)


def told(words: str, lines: int, call: Callable[[], Any]) -> None:
    """Do something and print what it cost; memory is the most that the process has held so far."""
    seconds = timed(call)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{words:16s} {seconds:7.1f} s {lines / seconds:12,.0f} lines/s   peak memory {memory:,.0f} MiB", flush=True)


def export(folder: Path) -> None:
    """Every table of the municipality with the results of all runs."""
    from config.accounts.models import Organisation
    from config.audit.actors import SYSTEM
    from config.interchange.exporting import export_package

    export_package(organisation=Organisation.objects.get(code="bench"), path=folder, actor=SYSTEM, at=AT)


def load(folder: Path) -> None:
    """The package into an empty database."""
    from config.audit.actors import SYSTEM
    from config.interchange.importing import import_package
    from config.interchange.sources import Source

    with Source(folder) as source:
        report = import_package(source=source, actor=SYSTEM, at=AT)
    assert report.imported, report.refusals[:20]


def settle() -> None:
    """Both months again, as their own office would."""
    from config.accounts.models import Organisation
    from config.audit.actors import SYSTEM
    from config.interchange.settling import settle_month

    office = Organisation.objects.get(code="bench")
    for period in (BEFORE, MONTH):
        runs = settle_month(organisation=office, period=period, as_of=AT.date(), actor=SYSTEM, at=AT)
        print(*runs, sep="\n")


def differing(first: Path, second: Path) -> list[str]:
    """Files that are not the same in both folders."""
    names = sorted({path.name for folder in (first, second) for path in folder.iterdir()})
    same, _other, _missing = filecmp.cmpfiles(first, second, names, shallow=False)
    size = sum((first / name).stat().st_size for name in same)
    print(f"the same byte for byte: {len(same)} of {len(names)} files, {size / 1e6:,.0f} MB")
    return sorted(set(names) - set(same))


def main(lines: int, folder: Path) -> int:
    """There and back."""
    first, second = folder / "first", folder / "second"
    with scratch_database():
        generate(lines)
        print_figures([measure()], lines)
        told("export", lines, lambda: export(first))
    with scratch_database():
        told("import", lines, lambda: load(first))
        told("settled again", lines, settle)
        told("export again", lines, lambda: export(second))
    different = differing(first, second)
    print(*(f"DIFFERS: {name}" for name in different), sep="\n")
    return 1 if different else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where the packages are written; a temporary folder by default")
    given = parser.parse_args(sys.argv[1:])
    with tempfile.TemporaryDirectory(dir=given.folder) as scratch:
        sys.exit(main(given.lines, Path(scratch)))
