"""Advances are used up first, given back by reversals, and never beyond what stands on them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.rules import advances
from settlement.rules.checks.clm_46_clawback_offset import offsets
from settlement.rules.facts import build_facts

MONEY = st.integers(0, 50_000)


@settings(deadline=None)
@given(payables=st.lists(MONEY, max_size=6), outstanding=MONEY, owed=MONEY, back=st.lists(MONEY, max_size=2))
def test_payable_and_offsets_are_what_was_allowed(
    payables: list[int], outstanding: int, owed: int, back: list[int]
) -> None:
    """Payable + advance + owed back = allowed, whatever reversals give back; no more is used than stands."""
    allowed = [*payables, *(-amount for amount in back)]
    claims = pd.DataFrame(
        {
            "claim": range(len(allowed)), "contract": 7, "provider": 1, "reversed": 0,
            "reverses": [-1] * len(payables) + [1000 + place for place in range(len(back))],
        },
        dtype="int64",
    )  # fmt: skip
    given_back = [amount // 2 for amount in back]
    facts = build_facts(
        advances=pd.DataFrame({"contract": [7], "outstanding": [outstanding]}),
        advances_used=pd.DataFrame({"claim": range(len(payables), len(allowed)), "amount": given_back}, dtype="int64"),
    )
    used = advances.used(facts, claims, np.array(allowed, dtype=np.int64))
    rest = [amount - part for amount, part in zip(allowed, used.tolist(), strict=True)]
    kept = offsets(rest, outstanding=owed)
    payable = [amount - part for amount, part in zip(rest, kept, strict=True)]
    assert sum(payable) + int(used.sum()) + sum(kept) == sum(allowed)
    taken = used[: len(payables)]
    assert all(0 <= part <= amount for part, amount in zip(taken.tolist(), payables, strict=True))
    assert taken.sum() <= outstanding
    assert used[len(payables) :].tolist() == [-amount for amount in given_back]
    assert all(amount >= 0 for amount in payable[: len(payables)])
