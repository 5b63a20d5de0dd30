"""Conflicts of interest, quorum, composition of a commission."""

from __future__ import annotations

from decimal import Decimal

import pytest

from procurement.rules.conflict import MemberFacts, commission_problems, quorum

BIDDERS = frozenset({"turbota", "dopomoha"})


def members(able: int, voting: int) -> list[MemberFacts]:
    return [MemberFacts(f"m{index}", declared=index < able) for index in range(voting)]


@pytest.mark.parametrize(
    ("able", "voting", "share", "strictly", "holds"),
    [
        (3, 5, "0.5", True, True),
        (2, 4, "0.5", True, False),
        (2, 4, "0.5", False, True),
        (2, 5, "0.5", True, False),
    ],
)
def test_quorum(able: int, voting: int, share: str, strictly: bool, holds: bool) -> None:
    found = quorum(members=members(able, voting), share=Decimal(share), strictly=strictly)
    assert (found.able, found.voting, found.holds) == (able, voting, holds)


def test_secretary_and_conflicted_member_do_not_score() -> None:
    assert not MemberFacts("secretary", votes=False, declared=True).may_score
    assert not MemberFacts("m1", declared=True, conflicted=True).may_score
    assert not MemberFacts("m1").may_score


def test_commission_of_five_is_sound() -> None:
    assert commission_problems(members=members(0, 5), min_members=5, odd=True, author="officer") == ()


def test_commission_problems_are_named() -> None:
    found = commission_problems(members=members(0, 4), min_members=5, odd=True, author="m1")
    assert [problem.code for problem in found] == ["COMMISSION_TOO_SMALL", "COMMISSION_EVEN", "COI-5"]
