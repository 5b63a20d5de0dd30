"""Whose visits lie closer together than work alone explains: figures of a worker and a recipient that ask a question.

Nothing follows from them by itself: a niece may be the only carer of a village, and a surname be everybody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

# The worker is the one who signs for the recipient; both bear one surname; nobody else visits or is visited.
REPRESENTATIVE, FAMILY, ONLY_PAIR = "representative", "family", "only_pair"
_MARKS = re.compile("[`'ʼ’‘\u0301.]")
# What tells a man's surname from a woman's, in Ukrainian and Russian.
_GENDER = re.compile("(ая|яя|ий|ій|ый|ой|а|я)$")
_SHORTEST = 3


@dataclass(frozen=True)
class Pair:
    """A worker and a recipient in a run. ``visits`` of the two together, the others of each; amount in minor units."""

    worker: int
    recipient: int
    visits: int
    worker_visits: int
    recipient_visits: int
    amount: int


@dataclass(frozen=True)
class Names:
    """As the registers write them, surname first; representatives by recipient."""

    workers: Mapping[int, str]
    recipients: Mapping[int, str]
    representatives: Mapping[int, Sequence[str]]


@dataclass(frozen=True)
class Limits:
    """From which share of the visits of both (percent), and from how many visits on, a pair stands out."""

    percent: int
    visits: int


def words_of(name: str) -> list[str]:
    """The parts of a name, without what people write differently."""
    return _MARKS.sub("", name).casefold().replace("ё", "е").replace("-", " ").split()


def same_person(first: str, second: str) -> bool:
    """Whether two names in full have the same parts, in whatever order."""
    parts = sorted(words_of(first))
    return len(parts) > 1 and parts == sorted(words_of(second))


def family_of(name: str) -> str:
    """The surname without its gender, empty where too little is left: Вигадана -> вигадан."""
    words = words_of(name)
    root = _GENDER.sub("", words[0]) if words else ""
    return root if len(root) >= _SHORTEST else ""


def closeness(pairs: Iterable[Pair], names: Names, limits: Limits) -> Iterator[tuple[str, Pair]]:
    """What stands out, with its figures; a pair may stand out twice, but not as one person and as one family."""
    for pair in pairs:
        kin = _kin(pair, names)
        if kin:
            yield kin, pair
        if pair.visits >= limits.visits and _share(pair) >= limits.percent:
            yield ONLY_PAIR, pair


def _kin(pair: Pair, names: Names) -> str:
    worker = names.workers.get(pair.worker, "")
    signers = names.representatives.get(pair.recipient, ())
    if any(same_person(worker, signer) for signer in signers):
        return REPRESENTATIVE
    family = family_of(worker)
    others = (names.recipients.get(pair.recipient, ""), *signers)
    return FAMILY if family and any(family_of(other) == family for other in others) else ""


def _share(pair: Pair) -> int:
    """Percent of the visits of whoever of the two has more, rounded down."""
    return pair.visits * 100 // max(pair.worker_visits, pair.recipient_visits)
