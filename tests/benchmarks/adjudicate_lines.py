"""How fast a run is: rules alone, the whole run, and merely copying the same facts out and the same results in.

    python -m tests.benchmarks.adjudicate_lines [--lines 100000 1000000] [--repeat 5] [--loop 10000]

Each size works in a scratch database of the server that DATABASE_URL names, made before and dropped afterwards; of two
sizes the growth of the time per line is printed, and of each how often every check fired. A run can be made once: it
and its copying are measured together in copies of that database, and the medians printed, for the same work takes half
as long again a minute later on a machine that others use. Beside the clock stands the time of the processor, of this
process and of its database server. Then the same checks in a loop over objects (``line_loop``), whose every
adjudication, finding and remittance is compared with the run's: with another answer, or a check that fired on none of
these lines, the program ends with 1.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

AT = datetime(2025, 12, 5, 10, 0, tzinfo=ZoneInfo("Europe/Kyiv"))
MONTH, BEFORE = date(2025, 11, 1), date(2025, 10, 1)
# What a run reads beside the tables that its queries of facts name: what is left of budgets and certificates.
BALANCES = ("contracts_budgetline", "contracts_budgetentry", "vouchers_certificateentry")
TABLE = re.compile(r"\b(?:settlement|vouchers|contracts|office)_[a-z]+\b")
RESULTS = (
    *("settlement_adjudication", "settlement_finding", "settlement_remittance", "settlement_entry"),
    *("settlement_posting", "contracts_budgetentry", "vouchers_certificateentry"),
)


@contextmanager
def scratch_database() -> Iterator[None]:
    """A migrated database that vanishes."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("FIELD_KEYS", "1:" + base64.b64encode(b"k" * 32).decode())
    os.environ["DB_ROLE"] = "owner"
    os.environ["TEST_DATABASE_NAME"] = f"benchmark_{os.getpid()}"
    import django
    from django.db import connection

    django.setup()
    before = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)


@contextmanager
def copied_database() -> Iterator[None]:
    """A copy of the scratch database that vanishes; nothing of what filled it is left to be tidied up."""
    from django.db import connection

    whole = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.close()
    connection.creation.clone_test_db(suffix="copy", verbosity=0, autoclobber=True)
    connection.settings_dict["NAME"] = f"{whole}_copy"
    try:
        with connection.cursor() as cursor:
            cursor.execute("CHECKPOINT")
        yield
    finally:
        connection.creation.destroy_test_db(whole, verbosity=0)


def timed(call: Callable[[], Any]) -> float:
    """Seconds of a call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def processor_seconds() -> float:
    """Seconds of the processor so far: of this process, and of its connection's server where that is a neighbour."""
    from django.db import connection

    connection.ensure_connection()
    here = time.process_time()
    try:
        told = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text(encoding="ascii")
    except OSError:
        return here
    user, system = told.rsplit(")", 1)[1].split()[11:13]
    return here + (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Spent:
    """Seconds of the clock and of the processor."""

    clock: float
    processor: float

    @classmethod
    def on(cls, call: Callable[[], Any]) -> Spent:
        """What a call spends."""
        before = processor_seconds()
        clock = timed(call)
        return cls(clock, processor_seconds() - before)

    @classmethod
    def median(cls, spent: Sequence[Spent]) -> Spent:
        """Of each figure the one in the middle."""
        return cls(median(one.clock for one in spent), median(one.processor for one in spent))

    def over(self, other: Spent, share: float = 1) -> Spent:
        """The ratio of both figures to another's."""
        return Spent(self.clock / other.clock / share, self.processor / other.processor / share)

    def ratio(self) -> str:
        """Two ratios in words."""
        return f"{self.clock:.2f} (processor {self.processor:.2f})"

    def plus(self, other: Spent) -> Spent:
        """Both together."""
        return Spent(self.clock + other.clock, self.processor + other.processor)

    def told(self, lines: int) -> str:
        """Seconds and lines a second."""
        return f"{self.clock:7.2f} s {lines / self.clock:12,.0f} lines/s   processor {self.processor:7.2f} s"


class RulesClock:
    """Measures the pure rules inside a run."""

    def __init__(self) -> None:
        from settlement import judging

        self.spent, self._inner = Spent(0, 0), judging.adjudicate
        judging.adjudicate = self._adjudicate

    def _adjudicate(self, *args: Any, **options: Any) -> Any:
        results: list[Any] = []
        self.spent = Spent.on(lambda: results.append(self._inner(*args, **options)))
        return results[0]

    def stop(self) -> None:
        """The rules as they were."""
        from settlement import judging

        judging.adjudicate = self._inner


def whole_run(period: date = MONTH) -> Any:
    """The action itself."""
    from config.accounts.models import Organisation
    from config.audit.actors import SYSTEM
    from settlement.actions.adjudication import adjudicate_claims

    office = Organisation.objects.get(code="bench")
    run = adjudicate_claims(organisation=office, period=period, as_of=AT.date(), actor=SYSTEM, at=AT)
    assert run is not None
    print(f"run {run}: {run.lines} lines, payable {run.payable_minor / 100:.2f}, findings {run.findings.count()}")
    return run


def month_before() -> None:
    """The next run of the small month before."""
    whole_run(BEFORE)


def print_checks(run: Any) -> list[str]:
    """How often each check fired; the checks of lines that never did."""
    from settlement.rules import checks

    counted = Counter(run.findings.values_list("check_code", "severity"))
    for (code, severity), count in sorted(counted.items()):
        print(f"  {code} {severity} {count:9,} {count / run.lines:8.3%}")
    beside = {check.CODE for check in checks.BESIDE} - {"CLM-36"}
    silent = sorted(set(checks.ALL) - beside - {code for code, _severity in counted})
    print(f"  never fired: {', '.join(silent) or 'none'}")
    return silent


def last_ids() -> dict[str, int]:
    """The last id of each table of results."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{table}', COALESCE(max(id), 0) FROM {table}" for table in RESULTS))
        return dict(cursor.fetchall())


def results_since(before: dict[str, int], *, quiet: bool) -> dict[str, bytes]:
    """The rows that a run has written, as COPY wants them, by table."""
    from django.db import connection

    rows = {}
    for table, last in before.items():
        with connection.cursor() as cursor:
            with cursor.copy(f"COPY (SELECT * FROM {table} WHERE id > {last}) TO STDOUT (FORMAT BINARY)") as copy:
                rows[table] = b"".join(copy)
            if not quiet:
                print(f"  {table} {cursor.rowcount:,}")
    return rows


def tables_of_facts() -> list[str]:
    """The tables that a run reads: those that its queries name."""
    from django.db import connection

    from settlement import facts_queries, run_tables

    modules = (vars(facts_queries) | vars(run_tables)).values()
    queries = [text for value in modules for text in (value.values() if isinstance(value, dict) else [value])]
    named = set(TABLE.findall("\n".join(text for text in queries if isinstance(text, str))))
    return sorted(named & set(connection.introspection.table_names()) | set(BALANCES))


def facts_out(tables: list[str]) -> None:
    """All rows of the tables."""
    from django.db import connection

    with connection.cursor() as cursor:
        for table in tables:
            with cursor.copy(f"COPY {table} TO STDOUT (FORMAT BINARY)") as copy:
                for _ in copy:
                    pass


def results_in(results: dict[str, bytes], *, name: str) -> None:
    """The rows of each table into the one of that name."""
    from django.db import connection

    with connection.cursor() as cursor:
        for table, data in results.items():
            with cursor.copy(f"COPY {name}_{table} FROM STDIN (FORMAT BINARY)") as copy:
                copy.write(data)


_GUARDS = """
SELECT replace(pg_get_triggerdef(oid), ' ON public.' || %(table)s, ' ON ' || %(copy)s) FROM pg_trigger
WHERE tgrelid = %(table)s::regclass AND NOT tgisinternal AND tgtype & 4 > 0
UNION ALL
SELECT format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', %(copy)s, conname, pg_get_constraintdef(oid)) FROM pg_constraint
WHERE conrelid = %(table)s::regclass AND contype = 'f'
"""


def make_tables(name: str, *, guarded: bool) -> None:
    """Empty tables like those of results, with their indexes and checks; ``guarded``: with triggers and keys too."""
    from django.db import connection

    with connection.cursor() as cursor:
        for table in RESULTS:
            cursor.execute(f"CREATE TABLE {name}_{table} (LIKE {table} INCLUDING ALL)")
            cursor.execute(_GUARDS, {"table": table, "copy": f"{name}_{table}"})
            for (statement,) in cursor.fetchall() if guarded else ():
                cursor.execute(statement)


def measure_facts() -> Spent:
    """What it takes to copy the facts out; once before, so that neither this nor the run reads them for the first
    time."""
    tables = tables_of_facts()
    facts_out(tables)
    return Spent.on(lambda: facts_out(tables))


def measure_copying(out: Spent, results: dict[str, bytes]) -> dict[str, Spent]:
    """What it takes to copy the results in beside the facts ``out``, by the kind of tables they come into."""
    spent = {}
    for words, name, guarded in (("as they are", "guarded", True), ("without guards and keys", "bare", False)):
        make_tables(name, guarded=guarded)
        into = Spent.on(lambda: results_in(results, name=name))  # noqa: B023
        spent[words] = Spent(out.clock + into.clock, out.processor + into.processor)
    return spent


@dataclass(frozen=True)
class Measured:
    """What a run and its rules spent, and copying by the kind of tables; memory is the most held so far, in MiB."""

    run: Spent
    rules: Spent
    copying: dict[str, Spent]
    memory: float


def generate(lines: int) -> None:
    """The month, and libraries and fingerprints of the rules, as in a process that works all day."""
    import settlement.actions.adjudication  # noqa: F401
    from settlement.judging import rule_versions
    from tests.benchmarks.month_sql import generate_month

    rule_versions()
    print(f"generated {lines:,} lines in {timed(lambda: generate_month(lines, before=month_before)):.1f} s")


def measure(*, quiet: bool = False) -> Measured:
    """Settle the month; print what came of it unless that is known."""
    out, before, clock, runs = measure_facts(), last_ids(), RulesClock(), []
    run = Spent.on(lambda: runs.append(whole_run()))
    clock.stop()
    if not quiet:
        print_checks(runs[0])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(run, clock.spent, measure_copying(out, results_since(before, quiet=quiet)), memory)


def print_figures(found: Sequence[Measured], lines: int) -> Spent:
    """Print the figures of one size, medians and the least and the most of the ratios; what the run spent."""
    run = Spent.median([one.run for one in found])
    print(f"rules alone  {Spent.median([one.rules for one in found]).told(lines)}")
    print(f"whole run    {run.told(lines)}   peak memory {found[-1].memory:,.0f} MiB")
    for words in found[0].copying:
        print(f"copying only {Spent.median([one.copying[words] for one in found]).told(lines)}   into tables {words}")
        ratios = [one.run.over(one.copying[words]) for one in found]
        clocks = sorted(ratio.clock for ratio in ratios)
        print(f"whole run / copying: {Spent.median(ratios).ratio()}, by the clock {clocks[0]:.2f} to {clocks[-1]:.2f}")
    return run


def measure_loop(lines: int) -> int:
    """Print how much longer a loop over objects takes than the run, both for the same lines; rows that differ."""
    from settlement.models import Claim
    from settlement.rules import checks
    from tests.benchmarks.line_compare import compare
    from tests.benchmarks.month_sql import generate_month

    generate_month(lines, before=month_before)
    claims = list(Claim.objects.filter(period=MONTH, status="submitted").select_related("organisation"))
    clock, found = RulesClock(), compare(whole_run, claims)
    clock.stop()
    silent = print_checks(found.run)
    judged = len(checks.ALL) - len(checks.BESIDE) + 1
    print(f"{judged} checks, amounts, fees, remittances of {lines:,} lines; rows that differ: {found.differing:,}")
    for words, spent in (("objects loaded", found.loading), ("loop over objects", found.looping)):
        print(f"{words:17s} {spent.told(lines)}")
    print(f"rules alone       {clock.spent.told(lines)}")
    print(f"whole run         {found.running.told(lines)}   with facts read and results written")
    print(f"loop / rules: {found.looping.over(clock.spent).ratio()}")
    print(f"objects loaded and judged / whole run: {found.loading.plus(found.looping).over(found.running).ratio()}")
    return found.differing + len(silent)


def measure_copies(lines: int, repeat: int) -> Iterator[Measured]:
    """The figures of one size, as often as wanted."""
    generate(lines)
    for number in range(repeat):
        with copied_database():
            yield measure(quiet=number > 0)


def main(sizes: list[int], repeat: int, loop: int) -> int:
    """Print everything, the smallest size first: memory is the most that the process has held so far.

    Returns 1 when the loop over objects has another answer, or a check of lines fired on none.
    """
    spent = []
    for lines in sorted(sizes):
        with scratch_database():
            spent.append((print_figures(list(measure_copies(lines, repeat)), lines), lines))
    (first, few), (last, many) = spent[0], spent[-1]
    if few < many:
        print(f"time per line, {many:,} lines / {few:,} lines: {last.over(first, many / few).ratio()}")
    if loop:
        with scratch_database():
            return int(measure_loop(loop) > 0)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, nargs="+", default=[100_000])
    parser.add_argument("--repeat", type=int, default=5, help="copies of the database that each size is measured in")
    parser.add_argument("--loop", type=int, default=10_000, help="lines of the loop over objects; 0: none")
    given = parser.parse_args(sys.argv[1:])
    sys.exit(main(given.lines, given.repeat, given.loop))
