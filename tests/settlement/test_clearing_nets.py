"""Netting between municipalities: whatever they owe each other, the nets add up to nothing."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from config.accounts.models import Organisation
from settlement.models import ClearingStatement

OFFICES = [Organisation(pk=pk, code=f"o{pk}", name=f"O{pk}") for pk in range(1, 6)]
DUES = st.lists(
    st.tuples(st.sampled_from(OFFICES), st.sampled_from(OFFICES), st.integers(-(10**12), 10**12)).filter(
        lambda due: due[0] != due[1]
    ),
    max_size=40,
)


def statements_of(dues: list[tuple[Organisation, Organisation, int]]) -> list[ClearingStatement]:
    """One statement a pair: who owes, whom, how much."""
    found: dict[tuple[int, int], ClearingStatement] = {}
    for home, host, amount in dues:
        first, second = sorted((home, host), key=lambda office: office.pk)
        row = found.setdefault((first.pk, second.pk), ClearingStatement(first=first, second=second))
        if home == first:
            row.first_owes_minor += amount
        else:
            row.second_owes_minor += amount
    return list(found.values())


@given(DUES)
def test_the_net_of_a_pair_is_opposite_from_its_other_end(dues: list[tuple[Organisation, Organisation, int]]) -> None:
    for row in statements_of(dues):
        assert row.paid_by(row.first) == -row.paid_by(row.second) == row.net_minor
        assert (row.other(row.first), row.other(row.second)) == (row.second, row.first)


@given(DUES)
def test_nets_of_any_municipalities_add_up_to_nothing(dues: list[tuple[Organisation, Organisation, int]]) -> None:
    paid: dict[int, int] = defaultdict(int)
    owed: dict[int, int] = defaultdict(int)
    for row in statements_of(dues):
        for side in (row.first, row.second):
            paid[side.pk] += row.paid_by(side)
    for home, host, amount in dues:
        owed[home.pk] += amount
        owed[host.pk] -= amount
    assert sum(paid.values()) == 0
    assert {pk: sum_ for pk, sum_ in paid.items() if sum_} == {pk: sum_ for pk, sum_ in owed.items() if sum_}
