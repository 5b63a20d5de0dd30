"""The benchmark's month by two ways: in whole columns, and line by line over objects."""

from __future__ import annotations

import pytest

from settlement.models import Claim
from tests.benchmarks.adjudicate_lines import MONTH, month_before, print_checks, whole_run
from tests.benchmarks.line_compare import Compared, compare
from tests.benchmarks.month_sql import generate_month

# From this size on every check that can fire on a line does.
LINES = 10_000


@pytest.fixture
def compared(db: None) -> Compared:
    """The generated month, judged both ways."""
    generate_month(LINES, before=month_before)
    claims = list(Claim.objects.filter(period=MONTH, status="submitted").select_related("organisation"))
    return compare(whole_run, claims)


def test_both_ways_give_the_same_answer_and_every_check_fires(compared: Compared) -> None:
    assert compared.differing == 0
    assert print_checks(compared.run) == []
    assert compared.run.lines == LINES
