"""What the bootstrap tells a person: short progress lines on standard error, so that output stays clean."""

from __future__ import annotations

import contextlib
import sys


class Refusal(SystemExit):
    """The bootstrap cannot go on; the sentence says why and what to do. Exit code 1."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"\n{sentence}")


def say(sentence: str) -> None:
    """One progress line. A reader that went away is no reason to stop."""
    with contextlib.suppress(BrokenPipeError, ValueError):
        print(f"* {sentence}", file=sys.stderr, flush=True)


def tail(text: str, lines: int = 15) -> str:
    """The last lines of a log, enough to see what failed."""
    return "\n".join(text.strip().splitlines()[-lines:])
