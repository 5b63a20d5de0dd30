"""One certificate redeemed twenty times at once, with balance for one."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections

from config.accounts.models import Organisation, User
from config.locks import lock_rows
from tests.vouchers.actions.test_redemptions import authorise
from tests.vouchers.town import Town, build_town
from vouchers.actions import redemptions
from vouchers.actions.certificates import IssuedCertificate
from vouchers.actions.redemptions import RedemptionRefused
from vouchers.models import CertificateEntry, Redemption

AT_ONCE = 20
GUARD = "ALTER TABLE vouchers_certificateentry {} TRIGGER certificate_entry_guard"


@pytest.fixture
def town(transactional_db: None, organisation: Organisation, cast: dict[str, User]) -> Town:
    """The town in a database that other connections see."""
    return build_town(organisation, cast)


def _all_at_once(work: Callable[[int], str]) -> Counter[str]:
    """Run ``work`` in twenty threads with their own connections, started together."""
    answers: list[str] = []
    gate = threading.Barrier(AT_ONCE)

    def run(number: int) -> None:
        try:
            gate.wait(30)
            answers.append(work(number))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return Counter(answers)


def _redeem(town: Town, issued: IssuedCertificate, key: Callable[[int], str]) -> Callable[[int], str]:
    def work(number: int) -> str:
        try:
            return authorise(town, issued, units="1", key=key(number)).status
        except RedemptionRefused as refusal:
            return refusal.code

    return work


def _balance() -> int:
    return sum(CertificateEntry.objects.values_list("units_milli", flat=True))


def _one_unit(town: Town) -> IssuedCertificate:
    """A certificate with balance for one: two units (two months), one of them held."""
    issued = town.issue(units="1")
    december = authorise(town, issued, units="1", key="december", starts_at=redemption_in_december())
    assert december.status == "authorised" and _balance() == 1000
    return issued


def redemption_in_december() -> Any:
    """A moment outside the month of the race, so that only the balance can refuse."""
    from tests.vouchers.town import VISIT

    return VISIT.replace(month=12)


def test_without_lock_and_trigger_the_balance_is_spent_many_times(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The harm: every request saw the balance before any other had taken it."""
    issued = _one_unit(town)
    seen = threading.Barrier(AT_ONCE)
    hold = redemptions._hold

    def late_hold(*args: Any) -> Redemption:
        seen.wait(60)  # all have passed the check, none has written
        return hold(*args)

    def unlocked(rows: Any) -> list[Any]:
        return list(rows)

    monkeypatch.setattr(redemptions, "lock_certificate", unlocked)
    monkeypatch.setattr(redemptions, "_hold", late_hold)
    with connection.cursor() as cursor:
        cursor.execute(GUARD.format("DISABLE"))
    try:
        answers = _all_at_once(_redeem(town, issued, str))
    finally:
        with connection.cursor() as cursor:
            cursor.execute(GUARD.format("ENABLE"))
    assert answers == {"authorised": AT_ONCE}
    assert _balance() == 1000 - AT_ONCE * 1000


def test_without_the_lock_the_trigger_still_refuses(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    issued = _one_unit(town)
    monkeypatch.setattr(redemptions, "lock_certificate", lambda rows: list(rows))
    answers = _all_at_once(_redeem(town, issued, str))
    assert answers["authorised"] == 1 and sum(answers.values()) == AT_ONCE
    assert set(answers) <= {"authorised", "BALANCE_TOO_SMALL", "PLAN_LIMIT"}
    assert _balance() == 0


def test_exactly_one_of_twenty_succeeds(town: Town) -> None:
    assert redemptions.lock_certificate is lock_rows
    issued = _one_unit(town)
    answers = _all_at_once(_redeem(town, issued, str))
    assert answers == {"authorised": 1, "BALANCE_TOO_SMALL": AT_ONCE - 1}
    assert _balance() == 0
    assert Redemption.objects.filter(status="authorised").count() == 2


def test_one_request_sent_twenty_times_is_one_redemption(town: Town) -> None:
    issued = _one_unit(town)
    answers = _all_at_once(_redeem(town, issued, lambda number: "the same"))
    assert answers == {"authorised": AT_ONCE}
    assert Redemption.objects.count() == 2 and _balance() == 0
