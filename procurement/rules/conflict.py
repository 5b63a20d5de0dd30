"""Conflicts of interest and quorum of a commission (COI-1 to COI-5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class MemberFacts:
    """One member of the commission. The secretary never votes (COI-3)."""

    code: str
    votes: bool = True
    declared: bool = False
    conflicted: bool = False

    @property
    def may_score(self) -> bool:
        """Only a voting member with a clean declaration signed after the bidders were known (COI-2)."""
        return self.votes and self.declared and not self.conflicted


@dataclass(frozen=True)
class QuorumOutcome:
    """Members able to act, voting members in all, and whether the quorum holds."""

    able: int
    voting: int
    holds: bool


def quorum(*, members: Sequence[MemberFacts], share: Decimal, strictly: bool = True) -> QuorumOutcome:
    """Quorum over voting members: more than ``share`` of them, or at least it when not ``strictly``.

    Source: so.quorum (votes > 1/2, opening 2/3). A decision stays valid only while it holds without the
    conflicted.
    """
    voting = sum(member.votes for member in members)
    able = sum(member.may_score for member in members)
    needed = share * voting
    return QuorumOutcome(able, voting, able > needed if strictly else Decimal(able) >= needed)


@dataclass(frozen=True)
class CommissionProblem:
    """What is wrong with a commission: code and figures."""

    code: str
    params: dict[str, str]


def commission_problems(
    *, members: Sequence[MemberFacts], min_members: int, odd: bool, author: str
) -> tuple[CommissionProblem, ...]:
    """Size, oddness, and that the author of the documentation does not vote (so.commission_min_members,
    COI-5).
    """
    voting = [member.code for member in members if member.votes]
    problems = []
    if len(voting) < min_members:
        problems.append(
            CommissionProblem("COMMISSION_TOO_SMALL", {"members": str(len(voting)), "min": str(min_members)})
        )
    if odd and len(voting) % 2 == 0:
        problems.append(CommissionProblem("COMMISSION_EVEN", {"members": str(len(voting))}))
    if author in voting:
        problems.append(CommissionProblem("COI-5", {"person": author}))
    return tuple(problems)
