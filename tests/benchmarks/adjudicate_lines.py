"""How fast a run is: rules alone, the whole run, and merely copying the same facts out and the same results in.

    python -m tests.benchmarks.adjudicate_lines [--lines 100000]

Works in a scratch database of the server that DATABASE_URL names, made before and dropped afterwards.
"""

from __future__ import annotations

import argparse
import base64
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

AT = datetime(2025, 12, 5, 10, 0, tzinfo=ZoneInfo("Europe/Kyiv"))
FACTS = (
    *("settlement_claimline", "vouchers_redemption", "vouchers_recipient", "vouchers_recipientresidence"),
    *("vouchers_feeassessment", "vouchers_planline", "vouchers_certificate", "vouchers_certificateline"),
    *("contracts_service", "contracts_normcost", "contracts_provider", "contracts_contract", "contracts_contractline"),
    *("contracts_worker", "contracts_workerqualification", "settlement_claim"),
)
RESULTS = ("settlement_adjudication", "settlement_finding", "settlement_remittance")


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


def timed(call: Callable[[], Any]) -> float:
    """Seconds of a call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


class RulesClock:
    """Measures the pure rules inside a run."""

    def __init__(self) -> None:
        from settlement import judging

        self.seconds, self._inner = 0.0, judging.adjudicate
        judging.adjudicate = self._adjudicate

    def _adjudicate(self, *args: Any, **options: Any) -> Any:
        start = time.perf_counter()
        result = self._inner(*args, **options)
        self.seconds += time.perf_counter() - start
        return result


def whole_run() -> None:
    """The action itself."""
    from config.accounts.models import Organisation
    from config.audit.actors import SYSTEM
    from settlement.actions.adjudication import adjudicate_claims

    office = Organisation.objects.get(code="bench")
    run = adjudicate_claims(
        organisation=office, period=date(2025, 11, 1), as_of=AT.date(), actor=SYSTEM, at=AT
    )
    assert run is not None
    print(f"run {run}: {run.lines} lines, payable {run.payable_minor / 100:.2f}, findings {run.findings.count()}")


def copy_only() -> None:
    """The same rows out of the fact tables, the same result rows into tables alike (indexes, no foreign keys)."""
    from django.db import connection

    with connection.cursor() as cursor:
        for table in FACTS:
            with cursor.copy(f"COPY {table} TO STDOUT (FORMAT BINARY)") as copy:
                for _ in copy:
                    pass
        for table in RESULTS:
            cursor.execute(f"CREATE TABLE copy_of_{table} (LIKE {table} INCLUDING ALL)")
            with cursor.copy(f"COPY {table} TO STDOUT (FORMAT BINARY)") as copy:
                data = b"".join(copy)
            with cursor.copy(f"COPY copy_of_{table} FROM STDIN (FORMAT BINARY)") as copy:
                copy.write(data)


def main(lines: int) -> None:
    """Print the figures of one run."""
    with scratch_database():
        from tests.benchmarks.month_sql import generate_month

        print(f"generated {lines} lines in {timed(lambda: generate_month(lines)):.1f} s")
        clock = RulesClock()
        total = timed(whole_run)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        copying = timed(copy_only)
        print(f"rules alone  {clock.seconds:7.2f} s {lines / clock.seconds:12,.0f} lines/s")
        print(f"whole run    {total:7.2f} s {lines / total:12,.0f} lines/s   peak memory {memory:,.0f} MiB")
        print(f"copying only {copying:7.2f} s {lines / copying:12,.0f} lines/s")
        print(f"whole run / copying: {total / copying:.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=100_000)
    main(parser.parse_args(sys.argv[1:]).lines)
