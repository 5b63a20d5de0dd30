"""What is held for a provider: only money that came, shared between providers as their charges are."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.accounts.models import Organisation
from settlement.fee_queries import held_for
from settlement.models import FeeCharge, FeeNotice, FeeReceipt, FeeRefund
from tests.settlement.actions.payables import NOVEMBER, provider
from vouchers.models import Recipient

pytestmark = pytest.mark.django_db(transaction=True)
PROVIDERS = (1, 2, 3)


def noticed(office: Organisation, number: int, charges: dict[int, int], at: datetime) -> FeeNotice:
    recipient, _ = Recipient.objects.get_or_create(
        organisation=office, code=f"R{number}", defaults={"name": "Х", "registered_at": at}
    )
    row = FeeNotice.objects.create(
        organisation=office, recipient=recipient, month=NOVEMBER, number=f"FN-{number}", rf_reference=f"RF{number}",
        issued_at=at,
    )  # fmt: skip
    for key, amount in charges.items():
        FeeCharge.objects.create(notice=row, provider=provider(key), amount_minor=amount, charged_at=at)
    return row


def paid(notice: FeeNotice, amount: int, at: datetime) -> FeeReceipt:
    return FeeReceipt.objects.create(
        notice=notice, method="card", amount_minor=amount, payment=f"pi_{notice.pk}_{notice.receipts.count()}",
        received_on=at.date(), recorded_at=at,
    )  # fmt: skip


def held(office: Organisation) -> list[int]:
    return [held_for(office, provider(number)) for number in PROVIDERS]


def test_what_was_asked_for_and_did_not_come_is_not_held(organisation: Organisation, at: datetime) -> None:
    notice = noticed(organisation, 1, {1: 20_000, 2: 10_000}, at)
    assert held(organisation) == [0, 0, 0]
    receipt = paid(notice, 10_000, at)
    assert held(organisation) == [6_666, 3_333, 0]
    FeeRefund.objects.create(receipt=receipt, amount_minor=4_000, requested_at=at, status="requested")
    assert held(organisation) == [4_000, 2_000, 0]
    paid(notice, 24_000, at)
    assert held(organisation) == [20_000, 10_000, 0]


def test_what_came_beyond_the_charges_is_the_payers(organisation: Organisation, at: datetime) -> None:
    notice = noticed(organisation, 1, {1: 20_000}, at)
    paid(notice, 25_000, at)
    assert held(organisation) == [20_000, 0, 0]
    FeeCharge.objects.create(notice=notice, provider=provider(1), amount_minor=-12_000, charged_at=at)
    assert held(organisation) == [8_000, 0, 0]


def test_another_office_holds_its_own(
    organisation: Organisation, other_organisation: Organisation, at: datetime
) -> None:
    paid(noticed(organisation, 1, {1: 20_000}, at), 5_000, at)
    assert held(other_organisation) == [0, 0, 0] and held(organisation) == [5_000, 0, 0]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    notices=st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from(PROVIDERS), st.integers(1, 500), min_size=1),
            st.lists(st.tuples(st.integers(1, 600), st.floats(0, 1)), max_size=3),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_never_more_is_held_than_came_and_all_once_it_is_paid(
    organisation: Organisation, at: datetime, notices: list[tuple[dict[int, int], list[tuple[int, float]]]]
) -> None:
    with transaction.atomic():
        came, charged = 0, dict.fromkeys(PROVIDERS, 0)
        for number, (charges, receipts) in enumerate(notices):
            notice, kept = noticed(organisation, number, charges, at), 0
            for amount, back in receipts:
                receipt, gone = paid(notice, amount, at), int(amount * back)
                if gone:
                    FeeRefund.objects.create(receipt=receipt, amount_minor=gone, requested_at=at, status="requested")
                kept += amount - gone
            came += min(kept, sum(charges.values()))
            charged = {key: charged[key] + charges.get(key, 0) for key in PROVIDERS}
        found = held(organisation)
        assert came - len(PROVIDERS) * len(notices) < sum(found) <= came
        assert all(0 <= part <= charged[key] for key, part in zip(PROVIDERS, found, strict=True))
        for notice in FeeNotice.objects.all():
            paid(notice, 100_000, at)
        assert held(organisation) == list(charged.values())
        transaction.set_rollback(True)
