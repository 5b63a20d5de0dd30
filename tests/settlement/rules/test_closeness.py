"""Who stands close: names as people write them, and shares of visits at their limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.rules.closeness import Limits, Names, Pair, closeness, family_of, same_person

LIMITS = Limits(percent=90, visits=8)


def found(pair: Pair, worker: str = "", recipient: str = "", *signers: str) -> list[str]:
    names = Names({1: worker}, {2: recipient}, {2: signers})
    return [kind for kind, _pair in closeness([pair], names, LIMITS)]


def pair(visits: int, worker: int, recipient: int) -> Pair:
    return Pair(1, 2, visits, worker, recipient, 14_250)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("Вигадана Олена Іванівна", "Вигаданий Петро", True),
        ("Зінська Ганна", "ЗІНСЬКИЙ Ігор", True),
        ("Лук'янова Анна", "Лук’янов Іван", True),
        ("Шевченко Ольга", "Шевченко Тарас", True),
        ("Шевчук Ольга", "Шевченко Тарас", False),
        ("Вигадана Олена", "Олена Вигадана", False),
        ("Я Олена", "Я Петро", False),
        ("", "", False),
    ],
)
def test_surnames_are_compared_without_their_gender(first: str, second: str, same: bool) -> None:
    assert (family_of(first) == family_of(second) != "") is same


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("Вигадана Олена Іванівна", "олена  вигадана іванівна", True),
        ("Вигадана Олена", "Вигадана Ольга", False),
        ("Вигадана", "Вигадана", False),
        ("", "", False),
    ],
)
def test_a_person_is_known_by_the_whole_name(first: str, second: str, same: bool) -> None:
    assert same_person(first, second) is same


def test_kin_is_told_once_and_the_closer_first() -> None:
    few = pair(1, 50, 50)
    assert found(few, "Рідна Ганна", "Чужа Ніна", "Рідна Ганна") == ["representative"]
    assert found(few, "Рідна Ганна", "Рідний Петро") == ["family"]
    assert found(few, "Рідна Ганна", "Чужа Ніна", "Рідний Іван") == ["family"]
    assert found(few, "Рідна Ганна", "Чужа Ніна", "Чужий Іван") == []
    assert found(few) == []


@pytest.mark.parametrize(
    ("visits", "worker", "recipient", "stands_out"),
    [(9, 10, 10, True), (8, 9, 8, False), (7, 7, 7, False), (8, 8, 8, True), (9, 9, 11, False), (90, 100, 90, True)],
)
def test_a_pair_stands_out_from_its_limits_on(visits: int, worker: int, recipient: int, stands_out: bool) -> None:
    assert found(pair(visits, worker, recipient)) == (["only_pair"] if stands_out else [])


@given(st.integers(1, 500), st.integers(0, 500), st.integers(0, 500))
def test_more_visits_elsewhere_never_make_a_hint(visits: int, worker: int, recipient: int) -> None:
    rows = [found(pair(visits, visits + worker + more, visits + recipient + more)) for more in (0, 1, 100)]
    assert sorted(rows, key=len, reverse=True) == rows
