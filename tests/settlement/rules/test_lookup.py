"""Orders and look-ups in columns agree with the plain ways to say the same."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from settlement.rules.facts import BLANK, NO_TIME
from settlement.rules.integers import in_order, numbered
from settlement.rules.lookup import InForce

NUMBERS = st.one_of(st.integers(-5, 5), st.sampled_from([NO_TIME, NO_TIME - 1, -(1 << 62)]))
ROWS = st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 9), st.integers(0, 9)), max_size=8)


@given(st.lists(NUMBERS, max_size=30))
def test_equal_keys_stay_in_their_order_however_large(keys: list[int]) -> None:
    column = np.array(keys, dtype=np.int64)

    assert in_order(column).tolist() == sorted(range(len(keys)), key=keys.__getitem__)


@given(st.lists(NUMBERS, max_size=30))
def test_each_key_has_the_number_of_its_first(keys: list[int]) -> None:
    distinct, first, index = numbered(np.array(keys, dtype=np.int64))

    assert distinct.tolist() == sorted(set(keys))
    assert first.tolist() == [keys.index(key) for key in distinct.tolist()]
    assert [distinct[at] for at in index.tolist()] == keys


@given(ROWS, st.lists(st.tuples(st.integers(-1, 5), st.integers(0, 10)), min_size=1, max_size=8))
def test_the_row_in_force_is_the_latest_that_holds_on_the_day(
    rows: list[tuple[int, int, int]], asked: list[tuple[int, int]]
) -> None:
    keys, starts, ends = (np.array([row[place] for row in rows], dtype=np.int64) for place in range(3))
    wanted, days = (np.array([pair[place] for pair in asked], dtype=np.int64) for place in range(2))

    found = InForce(keys, starts, ends).find(wanted, days).tolist()

    for (key, day), row in zip(asked, found, strict=True):
        holding = [row for row, (of, start, end) in enumerate(rows) if of == key >= 0 and start <= day <= end]
        latest = max((rows[at][1] for at in holding), default=None)
        assert row in [at for at in holding if rows[at][1] == latest] if holding else row == BLANK
