"""Memory that large arrays leave is used again."""

from __future__ import annotations

import resource

import numpy as np

from config.memory import reused_memory

SIZE, ROUNDS = 1_500_000, 40


def _pages_cleared() -> int:
    """Pages that the system had to hand out for arrays of 12 MB, one after the other."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(ROUNDS):
        np.full(SIZE, 7, dtype=np.int64)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_arrays_inside_take_the_pages_of_those_before() -> None:
    """Outside the system clears pages for each of them anew."""
    outside = _pages_cleared()
    with reused_memory():
        first, second = _pages_cleared(), _pages_cleared()
    assert first < outside / 4
    assert second < outside / 20


def test_free_memory_goes_back_at_the_end() -> None:
    """A process that works all day does not keep the largest run it has seen."""
    with reused_memory():
        many = [np.full(SIZE, number) for number in range(20)]
        del many
        held = _resident()
    assert _resident() < held - 20 * SIZE * 8 / 2


def _resident() -> int:
    """Bytes of the process in memory."""
    with open("/proc/self/statm", encoding="ascii") as told:
        return int(told.read().split()[1]) * resource.getpagesize()
