from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.rules.matching import SURE, match_lines

LINE = {
    "end_to_end": "",
    "reference": "",
    "also": "",
    "account": "",
    "batch": "",
    "day": 100,
    "is_return": False,
}
PAYMENT = {
    "end_to_end": "",
    "reference": "",
    "account": "",
    "batch": "",
    "day": 100,
    "seen": 0,
    "paid": False,
    "returned": False,
}


def frame(key: str, base: dict[str, Any], rows: list[dict[str, Any]]) -> pd.DataFrame:
    full = [{key: number, **base, **row} for number, row in enumerate(rows, 1)]
    columns = [key, "amount", *base]
    types = {name: "int64" for name in (key, "amount", "day", "seen") if name in columns}
    types |= {name: "bool" for name in ("is_return", "paid", "returned") if name in base}
    return pd.DataFrame(full, columns=columns).astype(types)


def run(lines: list[dict[str, Any]], payments: list[dict[str, Any]], window: int = 3) -> Any:
    return match_lines(frame("line", LINE, lines), frame("payment", PAYMENT, payments), window_days=window)


def found(result: Any) -> list[tuple[int, int, str, str]]:
    return list(result.matches[["line", "payment", "kind", "rule"]].itertuples(index=False, name=None))


def codes(result: Any) -> dict[int, str]:
    return dict(result.exceptions[["line", "code"]].itertuples(index=False, name=None))


def test_end_to_end_id_is_certain() -> None:
    result = run([{"amount": -100, "end_to_end": "A"}], [{"amount": 100, "end_to_end": "A", "day": 1}])
    assert found(result) == [(1, 1, "payment", "end_to_end")]
    assert result.matches["confidence"].tolist() == [100]
    assert result.matches["amount"].tolist() == [-100]


def test_known_id_with_another_amount_is_an_exception() -> None:
    result = run([{"amount": -101, "end_to_end": "A"}], [{"amount": 100, "end_to_end": "A"}])
    assert found(result) == [] and codes(result) == {1: "AMOUNT_DIFFERS"}


def test_second_line_with_the_same_id_is_an_exception() -> None:
    lines = [{"amount": -100, "end_to_end": "A"}, {"amount": -100, "end_to_end": "A"}]
    result = run(lines, [{"amount": 100, "end_to_end": "A"}])
    assert found(result) == [(1, 1, "payment", "end_to_end")] and codes(result) == {2: "REPEATED"}


def test_creditor_reference_comes_second() -> None:
    result = run([{"amount": -100, "reference": "RF1"}], [{"amount": 100, "reference": "RF1", "end_to_end": "A"}])
    assert found(result) == [(1, 1, "payment", "reference")]


def test_amount_account_and_date_inside_the_window() -> None:
    payment = {"amount": 100, "account": "UA1", "day": 100}
    assert found(run([{"amount": -100, "account": "UA1", "day": 103}], [payment])) == [
        (1, 1, "payment", "amount_account_date")
    ]
    assert found(run([{"amount": -100, "account": "UA1", "day": 97}], [payment])) != []
    assert found(run([{"amount": -100, "account": "UA1", "day": 104}], [payment])) == []


def test_two_payments_that_fit_are_for_a_person() -> None:
    payments = [{"amount": 100, "account": "UA1", "day": 99}, {"amount": 100, "account": "UA1", "day": 100}]
    result = run([{"amount": -100, "account": "UA1"}], payments)
    assert found(result) == [(1, 2, "payment", "amount_account_date_ambiguous")]
    assert result.matches["confidence"].max() < SURE


def test_one_line_for_a_batch() -> None:
    payments = [{"amount": 100, "batch": "R1"}, {"amount": 250, "batch": "R1"}, {"amount": 7, "batch": "R2"}]
    result = run([{"amount": -350, "batch": "R1"}], payments)
    assert found(result) == [(1, 1, "payment", "batch"), (1, 2, "payment", "batch")]
    assert result.matches["amount"].tolist() == [-100, -250]


def test_a_batch_with_another_sum_is_not_matched() -> None:
    result = run([{"amount": -351, "batch": "R1"}], [{"amount": 100, "batch": "R1"}, {"amount": 250, "batch": "R1"}])
    assert found(result) == [] and codes(result) == {1: "UNKNOWN_DEBIT"}


def test_one_line_for_all_payments_of_an_account() -> None:
    payments = [
        {"amount": 100, "account": "UA1"},
        {"amount": 200, "account": "UA1"},
        {"amount": 5, "account": "UA2"},
    ]
    result = run([{"amount": -300, "account": "UA1"}], payments)
    assert found(result) == [(1, 1, "payment", "account_sum"), (1, 2, "payment", "account_sum")]


def test_one_line_for_everything_in_the_window() -> None:
    result = run([{"amount": -300}], [{"amount": 100}, {"amount": 200}, {"amount": 9, "day": 1}])
    assert found(result) == [(1, 1, "payment", "window_sum"), (1, 2, "payment", "window_sum")]


def test_paid_and_returned_in_one_statement() -> None:
    lines = [
        {"amount": -100, "end_to_end": "A"},
        {"amount": 100, "end_to_end": "A", "is_return": True, "day": 101},
        {"amount": 55},
    ]
    result = run(lines, [{"amount": 100, "end_to_end": "A"}])
    assert found(result) == [(1, 1, "payment", "end_to_end"), (2, 1, "return", "end_to_end")]
    assert codes(result) == {3: "UNKNOWN_CREDIT"}
    assert result.matches["amount"].tolist() == [-100, 100]


def test_a_return_needs_a_payment_that_has_gone() -> None:
    back = [{"amount": 100, "end_to_end": "A", "is_return": True}]
    assert found(run(back, [{"amount": 100, "end_to_end": "A"}])) == []
    assert found(run(back, [{"amount": 100, "end_to_end": "A", "paid": True}])) == [(1, 1, "return", "end_to_end")]
    assert found(run(back, [{"amount": 100, "end_to_end": "A", "paid": True, "returned": True}])) == []


def test_a_late_return_without_id_finds_its_account() -> None:
    back = [{"amount": 100, "account": "UA1", "is_return": True, "day": 160}]
    result = run(back, [{"amount": 100, "account": "UA1", "paid": True}])
    assert found(result) == [(1, 1, "return", "amount_account_date")]


def test_several_lines_are_one_payment() -> None:
    lines = [{"amount": -60, "end_to_end": "A"}, {"amount": -40, "end_to_end": "A"}]
    result = run(lines, [{"amount": 100, "end_to_end": "A"}])
    assert found(result) == [(1, 1, "payment", "parts"), (2, 1, "payment", "parts")]
    assert result.matches["amount"].tolist() == [-60, -40] and result.matches["difference"].tolist() == [0, 0]
    assert result.matches["confidence"].min() >= SURE


def test_several_lines_of_a_batch_of_one_payment() -> None:
    result = run([{"amount": -60, "batch": "R1"}, {"amount": -40, "batch": "R1"}], [{"amount": 100, "batch": "R1"}])
    assert found(result) == [(1, 1, "payment", "parts"), (2, 1, "payment", "parts")]


def test_a_part_is_for_a_person_and_says_what_is_left() -> None:
    result = run([{"amount": -60, "end_to_end": "A"}], [{"amount": 100, "end_to_end": "A"}])
    assert found(result) == [(1, 1, "payment", "part")]
    assert result.matches["difference"].tolist() == [40] and result.matches["confidence"].max() < SURE


def test_the_rest_of_a_payment_that_was_paid_in_part() -> None:
    result = run([{"amount": -40, "end_to_end": "A"}], [{"amount": 100, "seen": 60, "end_to_end": "A"}])
    assert found(result) == [(1, 1, "payment", "end_to_end")]


def test_more_than_the_payment_is_an_exception_with_the_difference() -> None:
    lines = [{"amount": -60, "end_to_end": "A"}, {"amount": -60, "end_to_end": "A"}]
    result = run(lines, [{"amount": 100, "end_to_end": "A"}])
    assert found(result) == [] and codes(result) == {1: "AMOUNT_DIFFERS", 2: "AMOUNT_DIFFERS"}
    assert result.exceptions["difference"].tolist() == [40, 40]


def test_half_a_payment_cannot_come_back() -> None:
    lines = [
        {"amount": -60, "end_to_end": "A"},
        {"amount": 100, "end_to_end": "A", "is_return": True},
    ]
    assert found(run(lines, [{"amount": 100, "end_to_end": "A"}])) == [(1, 1, "payment", "part")]


def test_among_very_many_equals_nobody_guesses() -> None:
    lines = [{"amount": -5, "account": "UA1"}] * 101
    assert found(run(lines, [{"amount": 5, "account": "UA1"}] * 100)) == []
    assert len(found(run(lines[1:], [{"amount": 5, "account": "UA1"}] * 100))) == 100


# Every line below would fit payment 2 by account, sum and day; it says that it is of payment 1.
NAMED = {"amount": 100, "end_to_end": "A", "reference": "RF1", "account": "UA1"}
OTHER = {"amount": 100, "end_to_end": "B", "reference": "RF2", "account": "UA1"}
GONE = {"paid": True, "returned": True}


def for_a_person(result: Any) -> set[tuple[int, int, str, str]]:
    doubtful = result.matches[result.matches["confidence"] < SURE]
    return set(doubtful[["line", "payment", "kind", "rule"]].itertuples(index=False, name=None))


def sure(result: Any) -> list[tuple[int, int]]:
    return list(result.matches.loc[result.matches["confidence"] >= SURE, ["line", "payment"]].itertuples(index=False))


def test_a_payment_told_twice_is_not_another_of_the_same_account_and_sum() -> None:
    line = {"amount": -100, "end_to_end": "A", "account": "UA1"}
    result = run([line, line], [NAMED, OTHER])
    assert sure(result) == [(1, 1)]
    assert for_a_person(result) == {(2, 2, "payment", "names_another")}


def test_a_line_of_a_payment_that_was_paid_before_is_not_another() -> None:
    result = run([{"amount": -100, "end_to_end": "A", "account": "UA1"}], [NAMED | {"paid": True}, OTHER])
    assert sure(result) == [] and for_a_person(result) == {(1, 2, "payment", "names_another")}


def test_a_line_of_a_failed_payment_is_not_the_one_made_instead() -> None:
    result = run([{"amount": -100, "end_to_end": "A", "account": "UA1"}], [NAMED | GONE, OTHER])
    assert sure(result) == [] and for_a_person(result) == {(1, 2, "payment", "names_another")}


def test_a_line_that_names_one_payment_with_the_sum_of_another() -> None:
    result = run([{"amount": -70, "end_to_end": "A", "account": "UA1"}], [NAMED, OTHER | {"amount": 70}])
    assert sure(result) == [] and result.matches["confidence"].max() < SURE


def test_a_line_with_the_reference_of_another_payment() -> None:
    for quoted in ({"reference": "RF1"}, {"end_to_end": "RF1"}, {"also": "RF99 RF1"}, {"also": "A"}):
        result = run([{"amount": -100, "account": "UA1"} | quoted], [NAMED | {"paid": True}, OTHER])
        assert sure(result) == [] and for_a_person(result) == {(1, 2, "payment", "names_another")}


def test_a_return_told_twice_is_not_of_another_payment() -> None:
    back = {"amount": 100, "end_to_end": "A", "account": "UA1", "is_return": True}
    result = run([back], [NAMED | GONE, OTHER | {"paid": True}])
    assert sure(result) == [] and for_a_person(result) == {(1, 2, "return", "names_another")}


def test_a_line_that_names_two_payments_is_for_a_person() -> None:
    torn = {"amount": -100, "end_to_end": "A", "reference": "RF2", "account": "UA1"}
    assert sure(run([torn], [NAMED, OTHER])) == []
    assert sure(run([torn], [NAMED | {"paid": True}, OTHER])) == []
    assert sure(run([torn, torn | {"reference": "RF1"}], [NAMED, OTHER])) == [(2, 1)]


def test_a_batch_line_may_name_a_payment_of_the_batch_and_no_other() -> None:
    payments = [NAMED | {"batch": "R1"}, OTHER | {"batch": "R1"}, {"amount": 9, "end_to_end": "C"}]
    assert sure(run([{"amount": -200, "batch": "R1", "end_to_end": "A"}], payments)) == [(1, 1), (1, 2)]
    assert sure(run([{"amount": -200, "batch": "R1", "end_to_end": "C"}], payments)) == []


def test_words_that_are_no_reference_of_ours_do_not_disturb() -> None:
    line = {"amount": -100, "end_to_end": "X-9", "reference": "RF99", "also": "Y Z", "account": "UA1"}
    assert found(run([line], [NAMED | {"paid": True}, OTHER])) == [(1, 2, "payment", "amount_account_date")]


def test_a_line_that_names_nothing_is_not_disturbed_by_one_that_does() -> None:
    lines = [{"amount": -100, "end_to_end": "A", "account": "UA1"}, {"amount": -100, "account": "UA1"}]
    result = run(lines, [NAMED | {"paid": True}, OTHER])
    assert found(result) == [(2, 2, "payment", "amount_account_date")]


def test_nothing_at_all() -> None:
    assert found(run([], [])) == []
    assert codes(run([{"amount": -5}], [])) == {1: "UNKNOWN_DEBIT"}


_text = st.sampled_from(["", "A", "B", "C"])
_lines = st.fixed_dictionaries(
    {
        "amount": st.integers(-6, 6).filter(bool),
        "end_to_end": _text,
        "reference": _text,
        "also": st.sampled_from(["", "", "A", "B C", "Z"]),
        "account": _text,
        "batch": _text,
        "day": st.integers(98, 103),
        "is_return": st.booleans(),
    }
)
_payments = st.fixed_dictionaries(
    {
        "amount": st.integers(1, 4),
        "end_to_end": _text,
        "reference": _text,
        "account": _text,
        "batch": _text,
        "day": st.integers(98, 103),
        "seen": st.integers(0, 1),
        "paid": st.booleans(),
        "returned": st.booleans(),
    }
)


@settings(deadline=None, max_examples=60)
@given(st.lists(_lines, max_size=7), st.lists(_payments, max_size=7))
def test_nothing_is_matched_twice_and_every_sum_is_kept(lines: Any, payments: Any) -> None:
    payments = [row | {"amount": row["amount"] + row["seen"]} for row in payments]
    result = run(lines, payments)
    matches = result.matches
    assert not matches.duplicated(["line", "payment"]).any()
    assert set(matches["line"]).isdisjoint(result.exceptions["line"])
    assert len(set(matches["line"])) + len(result.exceptions) == len(lines)
    for number, rows in matches.groupby("line"):
        # What a line moved is what its matches say, to the kopiyka.
        assert rows["amount"].sum() == lines[number - 1]["amount"]
        assert rows["kind"].nunique() == 1
    for (number, kind), rows in matches.groupby(["payment", "kind"]):
        payment = payments[number - 1]
        before = payment["seen"] if kind == "payment" else 0
        assert abs(rows["amount"].sum()) + before + rows["difference"].iloc[0] == payment["amount"]
        assert rows["difference"].nunique() == 1 and rows["difference"].iloc[0] >= 0
        assert (rows["amount"] < 0).all() if kind == "payment" else (rows["amount"] > 0).all()
        assert not (kind == "payment" and payment["paid"])
        assert kind == "payment" or rows["difference"].iloc[0] == 0


def _names(line: dict[str, Any]) -> set[str]:
    return {line["end_to_end"], line["reference"], *line["also"].split(" ")} - {""}


@settings(deadline=None, max_examples=60)
@given(st.lists(_lines, max_size=7), st.lists(_payments, max_size=7))
def test_money_that_names_a_payment_is_never_booked_on_others_alone(lines: Any, payments: Any) -> None:
    bearers: dict[str, set[int]] = {}
    for number, row in enumerate(payments, 1):
        for text in {row["end_to_end"], row["reference"]} - {""}:
            bearers.setdefault(text, set()).add(number)
    matches = run(lines, [row | {"amount": row["amount"] + row["seen"]} for row in payments]).matches
    for number, rows in matches[matches["confidence"] >= SURE].groupby("line"):
        for text in _names(lines[number - 1]) & bearers.keys():
            assert bearers[text] & set(rows["payment"]), (number, text)
    assert set(matches.loc[matches["rule"] == "names_another", "confidence"]) <= {40}


@settings(deadline=None, max_examples=40)
@given(st.lists(_lines, max_size=6), st.lists(_payments, max_size=6), st.randoms())
def test_the_order_of_rows_changes_nothing(lines: Any, payments: Any, random: Any) -> None:
    first, second = frame("line", LINE, lines), frame("payment", PAYMENT, payments)
    seed = random.randint(0, 99)
    again = match_lines(
        first.sample(frac=1, random_state=seed), second.sample(frac=1, random_state=seed), window_days=3
    )
    once = match_lines(first, second, window_days=3)
    pd.testing.assert_frame_equal(once.matches, again.matches)
    pd.testing.assert_frame_equal(once.exceptions, again.exceptions)
