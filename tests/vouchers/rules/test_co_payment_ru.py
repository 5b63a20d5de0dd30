"""Fee of a recipient in Russia: worked examples of rulebook 1.2, published rows, properties."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden_rows import case_file, checked, golden, number
from vouchers.rules.co_payment_ru import RuCoPaymentFacts, RuCoPaymentParameters, assess_co_payment_ru


def parameters(minimum: str, multiple: str = "1.5", regional: Decimal | None = None) -> RuCoPaymentParameters:
    return RuCoPaymentParameters(Decimal(multiple), Decimal(minimum), Decimal(50), Decimal(75), regional)


@pytest.mark.parametrize("row", golden("fee_ru"))
def test_worked_example(row: dict[str, str]) -> None:
    outcome = assess_co_payment_ru(
        facts=RuCoPaymentFacts(row["form"], Decimal(row["cost"]), number(row["income"]), row["free_category"] == "yes"),
        parameters=parameters(row["minimum"], row["multiple"], number(row["regional_limit"])),
    )
    found = (outcome.limit, outcome.cap, outcome.fee, outcome.subsidy)
    assert found == tuple(number(row[name]) for name in ("limit", "ceiling", "fee", "subsidy"))


def test_published_rows() -> None:
    for item in checked(case_file("ru-fee-442-home")["items"]):
        outcome = assess_co_payment_ru(
            facts=RuCoPaymentFacts("home", Decimal(item["services"]), Decimal(item["income"])),
            parameters=parameters("0", regional=Decimal(item["limit"])),
        )
        assert outcome.fee == Decimal(item["expected_fee"])


def test_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown form"):
        assess_co_payment_ru(facts=RuCoPaymentFacts("remote", Decimal(1), Decimal(1)), parameters=parameters("15250"))


@given(
    income=st.decimals(min_value=0, max_value=200000, places=2),
    cost=st.decimals(min_value=0, max_value=90000, places=2),
    form=st.sampled_from(["home", "semi_residential", "residential"]),
)
def test_fee_never_exceeds_the_legal_share(income: Decimal, cost: Decimal, form: str) -> None:
    outcome = assess_co_payment_ru(facts=RuCoPaymentFacts(form, cost, income), parameters=parameters("15250"))
    assert outcome.fee is not None and outcome.subsidy is not None
    assert outcome.fee + outcome.subsidy == cost
    excess = max(income - outcome.limit, Decimal(0))
    share = income * 75 / 100 if form == "residential" else excess * 50 / 100
    assert 0 <= outcome.fee <= share
