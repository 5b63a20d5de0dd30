"""Runs and books on screen: figures agree with each other, and only those who may see them do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.accounts.models import Organisation
from config.office.models import Job
from settlement.actions.claims import create_claim_from_redemptions, submit_claim
from settlement.models import Account, AdjudicationRun, Claim, Entry
from settlement.tasks import run_jobs
from settlement.views import runs
from tests.oracle.small import add_visit
from tests.settlement.actions.month import AT, two_visits
from tests.settlement.views.test_claims import text
from tests.settlement.views.town import Town, settled_town, url

pytestmark = pytest.mark.django_db
BOOKS = ("accounts", "trial_balance", "entries", "budget_execution", "adjudication_runs", "pends")


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return settled_town(tmp_path)


def submitted_december(town: Town) -> Claim:
    """Another month with a submitted claim."""
    claim = create_claim_from_redemptions(
        organisation=town.organisation,
        provider=town.claim.provider,
        contract=town.claim.contract,
        period=AT.date().replace(day=1),
        actor=town.users["nadiia"].as_actor(),
        at=AT,
    )
    return submit_claim(organisation=town.organisation, claim_id=claim.pk, actor=town.users["nadiia"].as_actor(), at=AT)


def pages_of(town: Town) -> list[str]:
    """Lists, and one record of each."""
    account, entry = Account.objects.earliest("pk"), Entry.objects.earliest("pk")
    run = url("adjudication_run", town.run.pk)
    return [*map(url, BOOKS), run, url("account", account.pk), url("entry", entry.pk)]


@pytest.mark.parametrize("username", ["halyna", "ivan", "mariia"])
def test_finance_and_the_auditor_read_everything(town: Town, username: str) -> None:
    browser = town.browser(username)
    pages = pages_of(town)
    assert [browser.get(page).status_code for page in pages] == [200] * len(pages)


@pytest.mark.parametrize("username", ["outsider", "nadiia", "olena", "sofiia"])
def test_others_are_refused(town: Town, username: str) -> None:
    browser = town.browser(username)
    pages = pages_of(town)
    assert [browser.get(page).status_code for page in pages] == [403] * len(pages)
    assert browser.post(url("run_start"), {"period": "2025-12"}).status_code == 403


def test_another_office_finds_nothing(town: Town) -> None:
    other = Organisation.objects.create(code="other", name="Інша громада")
    town.users["mariia"].memberships.update(organisation=other)
    browser = town.browser("mariia")
    pages = [
        url("adjudication_run", town.run.pk),
        url("account", Account.objects.first().pk),
        url("entry", Entry.objects.first().pk),
    ]
    assert [browser.get(page).status_code for page in pages] == [404] * 3
    assert "payable:P1" not in text(browser.get(url("accounts")))
    assert "payable:P1" not in text(browser.get(url("trial_balance")))


def test_a_month_is_judged_by_a_button_of_the_one_who_may(town: Town) -> None:
    claim = submitted_december(town)
    assert "2025-12" in text(town.browser("halyna").get(url("adjudication_runs")))
    assert town.browser("ivan").post(url("run_start"), {"period": "2025-12"}).status_code == 403
    answer = town.browser("halyna").post(url("run_start"), {"period": "2025-12"})
    run = AdjudicationRun.objects.exclude(pk=town.run.pk).get()
    assert answer.headers["Location"] == url("adjudication_run", run.pk)
    claim.refresh_from_db()
    assert claim.status in ("adjudicated", "rejected")
    page = text(town.browser("halyna").post(url("run_start"), {"period": "2025-12"}, follow=True))
    assert AdjudicationRun.objects.count() == 2 and "note" in page


def test_a_large_month_is_judged_by_a_job_that_may_run_twice(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    submitted_december(town)
    monkeypatch.setattr(runs, "LINES_AT_ONCE", 1)
    town.browser("halyna").post(url("run_start"), {"period": "2025-12"})
    job = Job.objects.get(kind="settlement.adjudicate")
    assert "progress" in text(town.browser("halyna").get(url("adjudication_runs")))
    for _ in range(2):
        run_jobs.adjudicate(job)
    run = AdjudicationRun.objects.exclude(pk=town.run.pk).get()
    assert run.started_by == town.users["halyna"]


def test_the_run_page_adds_up_and_names_its_parameters(town: Town) -> None:
    page = text(town.browser("mariia").get(url("adjudication_run", town.run.pk)))
    assert town.run.digest in page
    assert "Турбота" in page and "CLM-16" in page and "CLM-11" in page


def test_the_trial_balance_agrees_and_is_empty_before_the_first_posting(town: Town) -> None:
    browser = town.browser("mariia")
    page = browser.get(url("trial_balance"))
    totals = page.context["totals"]
    assert totals["debited"] == totals["credited"] > 0
    assert totals["debit"] == totals["credit"]
    assert browser.get(url("trial_balance"), {"on": "2025-01-01"}).context["rows"] == []
    assert browser.get(url("trial_balance"), {"on": "nonsense"}).status_code == 200


def test_damaged_books_say_so(town: Town, as_owner: None) -> None:
    from settlement.models import Posting

    posting = Posting.objects.filter(debit__gt=0).first()
    Posting._base_manager.filter(pk=posting.pk).update(debit=posting.debit + 1)
    assert "note bad" in text(town.browser("mariia").get(url("trial_balance")))


def test_the_statement_of_an_account_ends_with_its_balance(town: Town) -> None:
    account = Account.objects.get(code="payable:P1")
    page = town.browser("mariia").get(url("account", account.pk))
    last = page.context["rows"][-1][0]
    assert last.balance == -page.context["balance"].credit == -town.run.payable_minor


def test_the_entry_leads_to_its_cause(town: Town) -> None:
    entry = Entry.objects.get(event="claim.adjudicated")
    page = text(town.browser("mariia").get(url("entry", entry.pk)))
    assert url("claim", town.claim.pk) in page


def test_budget_execution_shows_what_is_spent_and_free(town: Town) -> None:
    page = town.browser("ivan").get(url("budget_execution"))
    totals = page.context["totals"]
    assert totals["spending"] == town.run.payable_minor
    assert totals["free"] == totals["appropriation"] - totals["spending"] - totals["commitment"] - totals["reservation"]


def test_lists_take_a_constant_number_of_queries(town: Town, django_assert_max_num_queries: Any) -> None:
    browser = town.browser("mariia")
    for page in [url(name) for name in BOOKS] + [url("adjudication_run", town.run.pk)]:
        with django_assert_max_num_queries(25):
            browser.get(page)


def test_pends_of_many_claims_take_a_constant_number_of_queries(
    tmp_path: Path, django_assert_max_num_queries: Any
) -> None:
    tables = two_visits()
    for number in range(2, 14):
        tables["claims"].append(tables["claims"][0] | {"number": f"A-{number}"})
        add_visit(tables, f"2025-11-{4 + number:02}", claim_number=f"A-{number}", redemption_code="")
    browser = settled_town(tmp_path, tables).browser("halyna")
    # What two persons decided to leave unpaid is asked for once a page.
    with django_assert_max_num_queries(25):
        page = browser.get(url("pends"))
    assert len(page.context["rows"]) == 12


def test_accounts_bear_words_beside_their_codes(town: Town) -> None:
    browser = town.browser("mariia")
    account = Account.objects.get(code="payable:P1")
    for page in (
        browser.get(url("accounts")),
        browser.get(url("trial_balance")),
        browser.get(url("account", account.pk)),
    ):
        assert account.title in text(page)
        assert "payable:P1" in text(page)
    assert str(account.provider) in account.title
    entry = account.postings.first().entry
    assert account.title in text(browser.get(url("entry", entry.pk)))


def test_an_account_is_shown_as_of_the_end_of_a_day(town: Town) -> None:
    account = Account.objects.get(code="payable:P1")
    browser = town.browser("mariia")
    assert browser.get(url("account", account.pk)).context["balance"].credited > 0
    early = browser.get(url("account", account.pk), {"on": "2020-01-31"})
    assert early.context["rows"] == [] and early.context["balance"].credited == 0
    assert browser.get(url("account", account.pk), {"on": "nonsense"}).status_code == 200


def test_a_run_says_which_claims_it_left_to_the_next(town: Town) -> None:
    page = url("adjudication_run", town.run.pk)
    assert "not in this run" not in text(town.browser("halyna").get(page))
    Claim.objects.create(
        organisation=town.organisation, number="A-2", provider=town.claim.provider, period=town.claim.period,
        status="submitted", recorded_at=AT,
    )  # fmt: skip
    assert "1 submitted claim of this month is not in this run" in text(town.browser("halyna").get(page))


@pytest.mark.parametrize(("q", "found"), [("11.2025", 1), ("2025-11", 1), ("10.2025", 0), ("%", 0)])
def test_runs_are_found_by_month(town: Town, q: str, found: int) -> None:
    answer = town.browser("halyna").get(url("adjudication_runs"), {"q": q})
    assert answer.context["page"].paginator.count == found
    assert ("Nothing was found." in text(answer)) is (found == 0)
