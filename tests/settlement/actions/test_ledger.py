"""Posting: balanced by construction, once, inside a transaction, never into a closed month."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from config.accounts.models import Organisation, User
from config.audit.actors import SYSTEM
from config.transactions import TransactionRequired
from contracts.models import BudgetLine, Provider
from settlement.actions.ledger import Amounts, EntryDraft, IntoClosedMonth, post_entries
from settlement.book_queries import balance_totals, trial_balance
from settlement.models import Account, ClosedMonth, Entry, Posting
from settlement.queries import ledger_entries
from settlement.rules.posting_plan import PLAN
from tests.conftest import AT

pytestmark = pytest.mark.django_db
ON = date(2025, 12, 3)


@pytest.fixture
def provider(db: None) -> Provider:
    return Provider.objects.create(code="P1", name="Турбота", sector="nonprofit")


@pytest.fixture
def line(organisation: Organisation) -> BudgetLine:
    return BudgetLine.objects.create(organisation=organisation, code="B1", year=2025, amount=1000)


def claim_draft(provider: Provider, line: BudgetLine, key: str = "k", **figures: int) -> EntryDraft:
    parts = [Amounts(figures or {"gross": 1000, "fee": 300, "payable": 700}, provider, line)]
    return EntryDraft("claim.adjudicated", key, "settlement.claim:7", parts, claim_id=7)


def post(organisation: Organisation, *drafts: EntryDraft, on: date = ON) -> list[Entry]:
    return post_entries(organisation=organisation, drafts=drafts, on=on, actor=SYSTEM, at=AT)


def test_claim_debits_cost_and_credits_provider_and_fees(
    organisation: Organisation, provider: Provider, line: BudgetLine
) -> None:
    (entry,) = post(organisation, claim_draft(provider, line))
    assert entry.number == "E-2025-000001"
    sides = {p.account.code: (p.debit, p.credit) for p in Posting.objects.select_related("account")}
    assert sides == {"expense:B1-2025": (1000, 0), "payable:P1": (0, 700), "fee:B1-2025": (0, 300)}
    assert {p.claim_id for p in Posting.objects.all()} == {7}


def test_parts_of_one_entry_meet_on_the_provider(
    organisation: Organisation, provider: Provider, line: BudgetLine
) -> None:
    other = BudgetLine.objects.create(organisation=organisation, code="B2", year=2025, amount=1000)
    parts = [Amounts({"gross": 10, "payable": 10}, provider, one) for one in (line, other)]
    post(organisation, EntryDraft("claim.adjudicated", "k", "settlement.claim:7", parts))
    assert Posting.objects.get(account__code="payable:P1").credit == 20
    assert Posting.objects.count() == 3


def test_nothing_to_post_leaves_no_entry_and_no_gap(
    organisation: Organisation, provider: Provider, line: BudgetLine
) -> None:
    nothing = claim_draft(provider, line, gross=0, fee=0, payable=0)
    entries = post(organisation, nothing, claim_draft(provider, line, "k2"))
    assert [entry.number for entry in entries] == ["E-2025-000001"]


def test_the_same_fact_twice_is_refused(organisation: Organisation, provider: Provider, line: BudgetLine) -> None:
    post(organisation, claim_draft(provider, line))
    with pytest.raises(IntegrityError, match="entry_key_once"), transaction.atomic():
        post(organisation, claim_draft(provider, line))


def test_negative_amount_is_a_bug(organisation: Organisation, provider: Provider, line: BudgetLine) -> None:
    with pytest.raises(ValueError, match="negative"):
        post(organisation, claim_draft(provider, line, gross=-5, payable=-5))


def test_amounts_that_do_not_balance_are_refused_by_the_database(
    organisation: Organisation, provider: Provider, line: BudgetLine
) -> None:
    with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
        post(organisation, claim_draft(provider, line, gross=1000, payable=999))


def bare_entry(organisation: Organisation) -> Entry:
    return Entry.objects.create(
        organisation=organisation, number="E-X", date=ON, event="claim.adjudicated", label="settlement.claim:7",
        key="bare", recorded_at=AT,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("credited", "refusal"),
    [("UAH", None), ("EUR", "does not balance in"), ("both", "without account")],
    ids=["one", "another", "balanced in each"],
)
def test_an_entry_balances_in_each_currency_and_on_accounts_of_it(
    organisation: Organisation, provider: Provider, line: BudgetLine, credited: str, refusal: str | None
) -> None:
    post(organisation, claim_draft(provider, line))
    account = Account.objects.get(code="payable:P1")
    with transaction.atomic():
        shared = {"entry": bare_entry(organisation), "date": ON, "account": account}
        money = "UAH" if credited == "UAH" else "EUR"
        sides = [("UAH" if credited != "both" else "EUR", 5, 0), (money, 0, 5)]
        rows = [Posting(currency=code, debit=debit, credit=credit, **shared) for code, debit, credit in sides]
        if refusal is None:
            assert len(Posting.objects.bulk_create(rows)) == 2
            return
        with pytest.raises(IntegrityError, match=refusal), transaction.atomic():
            Posting.objects.bulk_create(rows)


def test_closed_month_takes_no_entry(
    organisation: Organisation, provider: Provider, line: BudgetLine, cast: dict[str, User]
) -> None:
    ClosedMonth.objects.create(organisation=organisation, month=date(2025, 12, 1), closed_by=cast["ivan"], closed_at=AT)
    with pytest.raises(IntoClosedMonth), transaction.atomic():
        post(organisation, claim_draft(provider, line))
    post(organisation, claim_draft(provider, line), on=date(2026, 1, 2))


def add_postings(entry: Entry) -> list[Posting]:
    """Two more that balance, past the actions."""
    account = Account.objects.filter(organisation=entry.organisation).order_by("pk").first()
    assert account is not None
    shared = {"entry": entry, "date": entry.date, "account": account, "currency": account.currency}
    return Posting.objects.bulk_create([Posting(debit=777, **shared), Posting(credit=777, **shared)])


def test_an_entry_is_posted_once(organisation: Organisation, provider: Provider, line: BudgetLine) -> None:
    [entry] = post(organisation, claim_draft(provider, line))
    with pytest.raises(IntegrityError, match="has its postings already"), transaction.atomic():
        add_postings(entry)
    other = {"number": "E-2", "key": "2", "date": entry.date, "event": "test", "label": "x:1", "recorded_at": AT}
    assert len(add_postings(Entry.objects.create(organisation=organisation, **other))) == 2


def test_an_entry_of_a_closed_month_takes_no_postings(
    organisation: Organisation, provider: Provider, line: BudgetLine, cast: dict[str, User]
) -> None:
    [entry] = post(organisation, claim_draft(provider, line))
    other = {"number": "E-2", "key": "2", "date": entry.date, "event": "test", "label": "x:1", "recorded_at": AT}
    empty = Entry.objects.create(organisation=organisation, **other)
    month = entry.date.replace(day=1)
    ClosedMonth.objects.create(organisation=organisation, month=month, closed_by=cast["ivan"], closed_at=AT)
    for one in (entry, empty):
        with pytest.raises(IntegrityError, match="falls into the closed month"), transaction.atomic():
            add_postings(one)


@pytest.mark.django_db(transaction=True)
def test_posting_needs_the_callers_transaction(organisation: Organisation) -> None:
    with pytest.raises(TransactionRequired):
        post(organisation)


@pytest.mark.parametrize("event", sorted(PLAN))
def test_every_event_of_the_plan_has_both_sides(event: str) -> None:
    rule = PLAN[event]
    kinds = {kind for kind, _ in Account.KINDS}
    assert rule.debits and rule.credits
    assert {side.account for side in rule.debits + rule.credits} <= kinds


def test_trial_balance_and_journal_read_in_constant_queries(
    organisation: Organisation, provider: Provider, line: BudgetLine
) -> None:
    for number in range(5):
        post(organisation, claim_draft(provider, line, f"k{number}"))
    with _queries() as count:
        totals = balance_totals(trial_balance(organisation, ON))
    assert (totals["debit"], count()) == (totals["credit"], 2) and totals["debit"] > 0
    with _queries() as count:
        entries = list(ledger_entries(organisation))
        assert sum(len(entry.postings.all()) for entry in entries) == 15
    assert count() == 2


class _queries:
    """Counts queries."""

    def __enter__(self) -> object:
        from django.test.utils import CaptureQueriesContext

        self.context = CaptureQueriesContext(connection)
        self.context.__enter__()
        return lambda: len(self.context)

    def __exit__(self, *error: object) -> None:
        self.context.__exit__(*error)  # type: ignore[arg-type]
