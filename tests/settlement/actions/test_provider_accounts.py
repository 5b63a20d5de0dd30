"""A changed bank account: it counts from the day of recording, and nothing is paid until another person says so."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils.translation import override

from config.accounts.models import Organisation, User
from config.audit.actors import SYSTEM
from config.audit.models import AuditEvent
from config.errors import FourEyes, NotPermitted
from config.office.models import Attachment, OutboxMessage
from config.office.storage import GivenFile
from contracts.actions.check_facts import AccountUnfit, RelatedPerson, SameAccount
from contracts.actions.register import IbanInvalid
from contracts.models import Parameter, Provider, ProviderAccount, ProviderRelation, ProviderUser
from settlement.actions.holds import lift_hold
from settlement.actions.payments import PaymentHeld, mark_payments_sent
from settlement.actions.provider_accounts import AccountReasonMissing, change_account
from settlement.actions.runs import (
    NotApproved,
    NothingToPay,
    Proposal,
    approve_payment_run,
    cancel_payment_run,
    propose_payment_run,
    release_payment_run,
)
from settlement.actions.transfers import send_transfers
from settlement.models import Payment, PaymentHold, PaymentRun
from settlement.rules.parameters import ACCOUNT_DAYS
from tests.settlement.actions.paid import DAY, bank_file, released_run
from tests.settlement.actions.payables import NOVEMBER, adjudicated, provider, ready
from tests.settlement.gateways.orders import account
from tests.settlement.gateways.stripe_stand_in import stripe_on_loopback

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]
TODAY = date(2025, 12, 3)
BANK, STRIPE = ProviderAccount.BANK, ProviderAccount.STRIPE
NEW, CONNECTED = account(7001), "acct_1NewOne2"
OF_KIND = pytest.mark.parametrize(("kind", "number"), [(BANK, NEW), (STRIPE, CONNECTED)])
LETTER_OF_P2 = GivenFile("lyst.txt", "Просимо платити на новий рахунок".encode(), "text/plain")


@pytest.fixture
def office(organisation: Organisation, at: datetime) -> Organisation:
    ready(at)
    adjudicated(organisation, at, (1, 24_200), (2, 152_000))
    return organisation


def change(
    office: Organisation, cast: Cast, at: datetime, iban: str = NEW, kind: str = BANK, by: str = "bohdan", **said: Any
) -> ProviderAccount:
    values: dict[str, Any] = {"reason": "Лист надавача від 02.12.2025", "paper": LETTER_OF_P2} | said
    actor = cast[by].as_actor()
    return change_account(
        organisation=office, provider=provider(2), kind=kind, iban=iban, actor=actor, at=at, **values
    )  # fmt: skip


def propose(office: Organisation, cast: Cast, at: datetime) -> Proposal:
    return propose_payment_run(organisation=office, period=NOVEMBER, actor=cast["halyna"].as_actor(), at=at)


def lift(office: Organisation, user: User, at: datetime) -> None:
    for row in PaymentHold.objects.filter(organisation=office, lifted_at=None):
        lift_hold(organisation=office, hold_id=row.pk, reason="підтверджено", actor=user.as_actor(), at=at)


@OF_KIND
def test_the_provider_is_told_that_its_payments_wait(
    office: Organisation, cast: Cast, at: datetime, kind: str, number: str
) -> None:
    ProviderUser.objects.create(provider=provider(2), user=cast["nadiia"])
    change(office, cast, at, number, kind)
    told = OutboxMessage.objects.get(code="payment_hold.account_changed")
    hold = PaymentHold.objects.get()
    assert (told.user, told.organisation) == (cast["nadiia"], office)
    assert told.params == {"iban": number[-4:], "from_date": str(hold.from_date), "to_date": str(hold.to_date)}


@OF_KIND
def test_a_change_counts_from_its_day_and_holds_what_is_paid(
    office: Organisation, cast: Cast, at: datetime, kind: str, number: str
) -> None:
    row = change(office, cast, at, number, kind)
    hold = PaymentHold.objects.get()
    used = {BANK: provider(2).iban, STRIPE: provider(2).stripe_account}
    assert (row.since, row.kind, row.iban, used[kind]) == (TODAY, kind, number, number)
    assert (hold.provider_id, hold.from_date, hold.to_date) == (row.provider_id, TODAY, TODAY + timedelta(days=30))
    assert hold.placed_by == cast["bohdan"] and number[-4:] in hold.reason and number not in hold.reason
    for language, bank in {"uk": "Банківський рахунок", "ru": "Банковский счёт", "en": "The provider's bank"}.items():
        with override(language):
            words = hold.reason_words
        assert ("Stripe" in words) == (kind == STRIPE) and words.startswith(bank) == (kind == BANK)
        assert f"{TODAY:%d.%m.%Y}" in words or language == "en"
        assert number[-4:] in words and number not in words
    event = AuditEvent.objects.get(action="provider.account_changed")
    assert f"settlement.paymenthold:{hold.pk}" in event.objects_touched and event.chain == office.code
    assert event.data["iban"] == number[-4:] and number not in str(event.data)
    (paper,) = Attachment.objects.filter(label=f"contracts.provideraccount:{row.pk}")
    assert (paper.name, paper.organisation, row.reason) == ("lyst.txt", office, "Лист надавача від 02.12.2025")
    left = propose(office, cast, at).left_out
    assert [(item.provider.code, item.reason) for item in left] == [("P2", "HELD")]


@OF_KIND
def test_another_person_than_who_changed_it_lets_the_money_go(
    office: Organisation, cast: Cast, at: datetime, kind: str, number: str
) -> None:
    change(office, cast, at, number, kind)
    propose(office, cast, at)
    with pytest.raises(FourEyes):
        lift(office, cast["bohdan"], at)
    with pytest.raises(NothingToPay):
        propose(office, cast, at)
    lift(office, cast["ivan"], at)
    assert str(propose(office, cast, at).run.total.amount) == "1520.00"


def test_an_approved_run_gives_the_provider_up(office: Organisation, cast: Cast, at: datetime) -> None:
    run = propose(office, cast, at).run
    asked: dict[str, Any] = {"organisation": office, "run_id": run.pk, "actor": cast["ivan"].as_actor(), "at": at}
    approve_payment_run(content_sha256=run.content_sha256, **asked)
    change(office, cast, at)
    run.refresh_from_db()
    assert (run.status, str(run.total.amount)) == ("proposed", "242.00")
    approve_payment_run(content_sha256=run.content_sha256, **asked)
    release_payment_run(execution_date=DAY, **asked)
    assert [row.provider.code for row in Payment.objects.all()] == ["P1"]


def test_a_released_payment_does_not_leave(office: Organisation, cast: Cast, at: datetime) -> None:
    run = released_run(office, cast, at)
    bank_file(run, at)
    change(office, cast, at)
    asked: dict[str, Any] = {"organisation": office, "run_id": run.pk, "actor": cast["halyna"].as_actor(), "at": at}
    with pytest.raises(PaymentHeld):
        mark_payments_sent(**asked)
    lift(office, cast["ivan"], at)
    assert len(mark_payments_sent(**asked)) == 2


@pytest.mark.parametrize(("later", "total"), [(29, "242.00"), (30, "1762.00")])
def test_the_hold_ends_with_the_days_of_the_check(
    office: Organisation, cast: Cast, at: datetime, later: int, total: str
) -> None:
    change(office, cast, at)
    assert str(propose(office, cast, at + timedelta(days=later)).run.total.amount) == total


def test_every_office_that_deals_with_the_provider_holds(
    office: Organisation, other_organisation: Organisation, cast: Cast, at: datetime
) -> None:
    adjudicated(other_organisation, at, (2, 5_000))
    change(office, cast, at)
    assert {row.organisation for row in PaymentHold.objects.all()} == {office, other_organisation}
    with pytest.raises(NothingToPay):
        propose(other_organisation, cast, at)
    lift(office, cast["ivan"], at)
    with pytest.raises(NothingToPay):
        propose(other_organisation, cast, at)


def test_an_office_that_deals_with_others_holds_nothing(
    office: Organisation, other_organisation: Organisation, cast: Cast, at: datetime
) -> None:
    adjudicated(other_organisation, at, (1, 5_000))
    change(office, cast, at)
    assert PaymentHold.objects.get().organisation == office


def test_no_days_no_hold(office: Organisation, cast: Cast, at: datetime) -> None:
    Parameter.objects.create(
        organisation=office, jurisdiction="UA", key=ACCOUNT_DAYS, value="0", valid_from=date(2025, 1, 1), recorded_at=at
    )
    change(office, cast, at)
    assert not PaymentHold.objects.exists() and str(propose(office, cast, at).run.total.amount) == "1762.00"


@pytest.mark.parametrize(
    ("kind", "iban", "said", "error"),
    [
        (BANK, "UA00", {}, IbanInvalid),
        (BANK, " ", {}, IbanInvalid),
        (BANK, CONNECTED, {}, IbanInvalid),
        (BANK, account(1002), {}, SameAccount),
        (BANK, NEW, {"reason": " "}, AccountReasonMissing),
        (BANK, NEW, {"by": "ivan"}, RelatedPerson),
        (STRIPE, NEW, {}, AccountUnfit),
        (STRIPE, "acct_" + "1" * 30, {}, AccountUnfit),
        (STRIPE, "acct_ofP1", {}, AccountUnfit),
        (STRIPE, "acct_ofP2", {}, SameAccount),
        (STRIPE, CONNECTED, {"reason": ""}, AccountReasonMissing),
        (STRIPE, CONNECTED, {"by": "ivan"}, RelatedPerson),
    ],
)
def test_what_is_refused_holds_nothing(
    office: Organisation, cast: Cast, at: datetime, kind: str, iban: str, said: dict[str, Any], error: type[Exception]
) -> None:
    for code in ("P1", "P2"):
        Provider.objects.filter(code=code).update(stripe_account=f"acct_of{code}")
    ProviderRelation.objects.create(
        user=cast["ivan"], provider=provider(2), reason="сестра", valid_from=date(2025, 1, 1), recorded_at=at
    )
    with pytest.raises(error):
        change(office, cast, at, iban, kind, **said)
    assert not PaymentHold.objects.exists() and not ProviderAccount.objects.exists() and not Attachment.objects.exists()
    assert (provider(2).iban, provider(2).stripe_account) == (account(1002), "acct_ofP2")
    change(office, cast, at, {BANK: NEW, STRIPE: CONNECTED}[kind], kind)
    assert PaymentHold.objects.count() == 1
    with pytest.raises(RelatedPerson):
        lift(office, cast["ivan"], at)


def test_nobody_changes_an_account_without_a_name(office: Organisation, at: datetime) -> None:
    with pytest.raises(NotPermitted):
        change_account(
            organisation=office, provider=provider(2), kind=STRIPE, iban=CONNECTED, reason="x", paper=LETTER_OF_P2,
            actor=SYSTEM, at=at,
        )  # fmt: skip
    assert provider(2).stripe_account == ""


def test_the_database_keeps_one_account_of_a_kind_and_a_stripe_account_for_one(office: Organisation) -> None:
    Provider.objects.filter(code="P1").update(stripe_account=CONNECTED)
    for code, wrong in (("P2", CONNECTED), ("P1", "UA21"), ("P1", "acct_")):
        with pytest.raises(IntegrityError), transaction.atomic():
            Provider.objects.filter(code=code).update(stripe_account=wrong)
    Provider.objects.filter(code="P2").update(stripe_account="acct_2")


def test_a_transfer_goes_to_the_account_known_at_the_release(office: Organisation, cast: Cast, at: datetime) -> None:
    with stripe_on_loopback(STRIPE_TRANSFER_CURRENCIES=frozenset({"UAH"})) as stripe:
        change(office, cast, at, "acct_1First", STRIPE)
        assert [row.provider.code for row in propose(office, cast, at).left_out] == ["P2"]
        cancel_payment_run(
            organisation=office, run_id=PaymentRun.objects.get().pk, reason="x", actor=cast["halyna"].as_actor(), at=at
        )
        lift(office, cast["ivan"], at)
        run = released_run(office, cast, at)
        change(office, cast, at, "acct_2Second", STRIPE)
        send_transfers(organisation=office, run_id=run.pk, at=at)
        assert stripe.of("transfer") == []
        lift(office, cast["ivan"], at)
        send_transfers(organisation=office, run_id=run.pk, at=at)
        send_transfers(organisation=office, run_id=run.pk, at=at)
        assert [row["destination"] for row in stripe.of("transfer")] == ["acct_1First"]
        assert Payment.objects.get(gateway="stripe").status == "confirmed"


def test_an_approved_run_notices_the_new_account_at_stripe(office: Organisation, cast: Cast, at: datetime) -> None:
    with stripe_on_loopback(STRIPE_TRANSFER_CURRENCIES=frozenset({"UAH"})):
        run = propose(office, cast, at).run
        asked: dict[str, Any] = {"organisation": office, "run_id": run.pk, "actor": cast["ivan"].as_actor(), "at": at}
        approve_payment_run(content_sha256=run.content_sha256, **asked)
        change(office, cast, at, CONNECTED, STRIPE)
        run.refresh_from_db()
        assert (run.status, str(run.total.amount)) == ("proposed", "242.00")
        lift(office, cast["ivan"], at)
        with pytest.raises(NotApproved):
            release_payment_run(execution_date=DAY, **asked)


def test_a_reason_that_was_kept_as_a_sentence_stays_it() -> None:
    kept = "Банківський рахунок надавача змінено 03.12.2025; новий закінчується на 7001."
    assert PaymentHold(reason=kept).reason_words == kept
