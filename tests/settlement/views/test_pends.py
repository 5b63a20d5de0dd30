"""The queue of pends in the browser: evidence, two persons, who is in charge, deadlines, figures."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.accounts.access import Access
from config.pages.waiting_rows import refused_lines
from contracts.actions.reference import load_reference
from contracts.models import Parameter
from settlement.models import Adjudication, ClaimLine, Clearance, KeptPend, PendAssignment, PendProposal
from settlement.pend_queries import DAYS
from tests.oracle.small import add_visit
from tests.settlement.actions.lifting import lift
from tests.settlement.actions.month import AT
from tests.settlement.views.test_claims import text
from tests.settlement.views.town import Town, settled_town, tables_of_month, url

pytestmark = pytest.mark.django_db
DEFAULT = "CLM-11"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return settled_town(tmp_path)


def waiting(town: Town) -> ClaimLine:
    return ClaimLine.objects.get(claim=town.claim, line=15)


def test_a_pend_shows_what_differs(town: Town) -> None:
    for username in ("halyna", "mariia", "nadiia"):
        page = text(town.browser(username).get(url("claim_line", waiting(town).pk)))
        assert "The line beside our record of the visit" in page
        assert re.search(r"State <span class=\"flag\">differs</span>.*?confirmed.*?voided", page)


def test_a_pend_is_lifted_by_two_persons_and_the_line_judged_again(town: Town) -> None:
    halyna, ivan = town.browser("halyna"), town.browser("ivan")
    line = waiting(town)
    assert url("claim_line", line.pk) in text(halyna.get(url("pends")))
    halyna.post(url("pend_propose", line.pk, DEFAULT), {"reason": ""})
    assert not PendProposal.objects.exists()
    halyna.post(url("pend_propose", line.pk, DEFAULT), {"reason": "The act is signed"})
    confirm = url("pend_confirm", PendProposal.objects.get().pk)
    assert confirm not in text(halyna.get(url("pends")))
    halyna.post(confirm)
    assert not Clearance.objects.exists()
    assert confirm in text(ivan.get(url("pends"), {"state": "proposed"}))
    ivan.post(confirm)
    assert Clearance.objects.get().run == 2
    assert url("claim_line", line.pk) not in text(halyna.get(url("pends")))
    halyna.post(url("run_start"), {"period": "2025-11"})
    last = line.adjudications.order_by("-id").first()
    assert last is not None and last.outcome in ("accepted", "reduced")
    page = text(town.browser("nadiia").get(url("claim_line", line.pk)))
    assert page.count('<ol class="waterfall">') == 2 and "The act is signed" in page
    assert "proposed and" in page and "confirmed to lift the pend CLM-11" in page


def test_a_refusal_is_told_to_the_provider_and_two_persons_may_still_lift(town: Town) -> None:
    line, halyna, ivan = waiting(town), town.browser("halyna"), town.browser("ivan")
    halyna.post(url("pend_propose", line.pk, DEFAULT), {"reason": "The act is signed"})
    ivan.post(url("pend_keep", line.pk, DEFAULT), {"reason": ""})
    assert not KeptPend.objects.exists()
    ivan.post(url("pend_keep", line.pk, DEFAULT), {"reason": "Nobody signed the act"})
    assert "Nobody signed the act" in text(town.browser("nadiia").get(url("claim_line", line.pk)))
    assert "decided: not paid" in text(halyna.get(url("pends"), {"state": "kept"}))
    halyna.post(url("pend_propose", line.pk, DEFAULT), {"reason": "The act was found"})
    ivan.post(url("pend_confirm", PendProposal.objects.order_by("-pk")[0].pk))
    assert Clearance.objects.get().decided_by == "ivan"


def card_of_pends(town: Town) -> int:
    cards = town.browser("halyna").get("/").context["cards"]
    return next(card.count for card in cards if str(card.what) == "Lines waiting for a person")


def test_what_is_decided_waits_for_nobody_until_it_is_proposed_anew(town: Town) -> None:
    load_reference(at=AT)
    line, halyna, ivan, nadiia = waiting(town), *(town.browser(name) for name in ("halyna", "ivan", "nadiia"))
    shown = page = url("claim_line", line.pk)
    town.organisation.clock_offset += timedelta(days=25)
    town.organisation.save()
    assert shown in text(halyna.get(url("pends"), {"state": "overdue"})) and card_of_pends(town) == 1
    assert "The line waits for a person&#x27;s decision" in nadiia.get(page).content.decode()
    assert not nadiia.get(page).context["may_appeal"]
    halyna.post(url("pend_propose", line.pk, DEFAULT), {"reason": "The act is signed"})
    ivan.post(url("pend_keep", line.pk, DEFAULT), {"reason": "Nobody signed the act"})
    for state in ("", "overdue", "proposed", "nobody"):
        assert shown not in text(halyna.get(url("pends"), {"state": state})), state
    kept = text(halyna.get(url("pends"), {"state": "kept"}))
    assert shown in kept and not re.search(r"waits for \d", kept) and card_of_pends(town) == 0
    told = text(nadiia.get(page))
    assert "One person of the finance department proposed to pay; another one decided on" in told
    assert told.count("Nobody signed the act") == 1 and str(town.users["ivan"]) not in told
    assert "it was decided that it is not paid" in told and "waits for a person" not in told
    assert "wait for a person" not in text(nadiia.get(url("claim", line.claim_id)))
    halyna.post(url("pend_propose", line.pk, DEFAULT), {"reason": "The act was found"})
    assert shown in text(ivan.get(url("pends"), {"state": "proposed"})) and card_of_pends(town) == 1
    assert "waits for a person" in text(nadiia.get(page))


def test_a_line_left_unpaid_is_appealed_in_a_term_of_its_own(town: Town) -> None:
    load_reference(at=AT)
    line, nadiia = waiting(town), town.browser("nadiia")

    def offered() -> tuple[bool, bool]:
        access = Access(town.users["nadiia"], None, frozenset(), frozenset(), organisations=(town.organisation,))
        rows = refused_lines(access)
        return nadiia.get(url("claim_line", line.pk)).context["may_appeal"], rows.filter(claim_line=line).exists()

    assert offered() == (False, False)
    town.organisation.clock_offset += timedelta(days=25)
    town.organisation.save()
    refused = Adjudication.objects.filter(claim=town.claim, outcome="rejected").latest("pk")
    assert not nadiia.get(url("claim_line", refused.claim_line_id)).context["may_appeal"]
    town.browser("ivan").post(url("pend_keep", line.pk, DEFAULT), {"reason": "Nobody signed the act"})
    assert offered() == (True, True)
    town.organisation.clock_offset += timedelta(days=25)
    town.organisation.save()
    assert offered() == (False, False)
    form = f"{url('appeal_new', line.claim_id)}?line={line.line}"
    assert "This decision could be appealed until" in text(nadiia.get(form, follow=True))


@pytest.mark.parametrize("username", ["nadiia", "mariia", "bohdan", "outsider"])
def test_only_finance_decides(town: Town, username: str) -> None:
    line, browser = waiting(town), town.browser(username)
    for name in ("pend_propose", "pend_keep", "pend_assign"):
        assert browser.post(url(name, line.pk, DEFAULT), {"reason": "x"}).status_code == 403
    town.browser("halyna").post(url("pend_propose", line.pk, DEFAULT), {"reason": "x"})
    assert browser.post(url("pend_confirm", PendProposal.objects.get().pk)).status_code == 403
    assert not (KeptPend.objects.exists() or PendAssignment.objects.exists() or Clearance.objects.exists())


def test_a_line_that_does_not_wait_cannot_be_kept(town: Town) -> None:
    line = ClaimLine.objects.get(claim=town.claim, line=1)
    town.browser("halyna").post(url("pend_keep", line.pk, DEFAULT), {"reason": "x"})
    assert not KeptPend.objects.exists()


def test_the_queue_is_filtered_by_who_works_on_it(town: Town) -> None:
    line, halyna, ivan = waiting(town), town.browser("halyna"), town.browser("ivan")
    shown = url("claim_line", line.pk)
    assert shown in text(ivan.get(url("pends"), {"state": "nobody"}))
    halyna.post(url("pend_assign", line.pk, DEFAULT), {"person": str(town.users["ivan"].pk)})
    assert shown not in text(ivan.get(url("pends"), {"state": "nobody"}))
    assert shown in text(ivan.get(url("pends"), {"state": "mine"}))
    assert shown not in text(halyna.get(url("pends"), {"state": "mine"}))
    for wrong in ("x", "9" * 30, "²", str(town.users["nadiia"].pk)):
        halyna.post(url("pend_assign", line.pk, DEFAULT), {"person": wrong})
    last = PendAssignment.objects.order_by("-pk")[0]
    assert last.assigned_to is None


def test_a_pend_is_overdue_after_its_working_days(town: Town) -> None:
    Parameter.objects.create(
        jurisdiction="GENERIC", key=DAYS, value="5", valid_from=date(2015, 1, 1), recorded_at=AT, evidence="DESIGN"
    )
    browser = town.browser("halyna")
    assert url("claim_line", waiting(town).pk) not in text(browser.get(url("pends"), {"state": "overdue"}))
    town.organisation.clock_offset += timedelta(days=15)
    town.organisation.save()
    page = text(browser.get(url("pends"), {"state": "overdue"}))
    assert url("claim_line", waiting(town).pk) in page
    assert "overdue" in page and "waits for 15 days" in page


def test_decisions_by_person_as_page_and_json(town: Town) -> None:
    assert "Nobody has decided about a pend yet." in text(town.browser("mariia").get(url("pend_decisions")))
    lift(town.organisation, waiting(town), at=AT)
    assert "Галина Вигадана" in text(town.browser("mariia").get(url("pend_decisions")))
    rows = town.browser("mariia").get(url("pend_decisions"), {"format": "json"}).json()["decisions"]
    assert [(row["person"], row["proposed"], row["confirmed"]) for row in rows] == [("halyna", 1, 0), ("ivan", 0, 1)]
    assert town.browser("nadiia").get(url("pend_decisions")).status_code == 403


def test_the_queue_asks_a_constant_number_of_questions(tmp_path: Path) -> None:
    tables = tables_of_month()
    for day in range(21, 26):
        add_visit(tables, f"2025-11-{day}", unit_rate="95", amount="142.50")
        tables["redemptions"][-1]["status"] = "voided"
    town = settled_town(tmp_path, tables)
    browser, ivan = town.browser("halyna"), str(town.users["ivan"].pk)
    lines = list(ClaimLine.objects.filter(adjudications__outcome="pended").order_by("line"))
    for line in lines:
        browser.post(url("pend_propose", line.pk, DEFAULT), {"reason": "x"})
        browser.post(url("pend_assign", line.pk, DEFAULT), {"person": ivan})

    def asked() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as queries:
            page = text(browser.get(url("pends")))
        return page.count("The line beside our record of the visit"), len(queries)

    many = asked()
    for proposal in PendProposal.objects.order_by("pk")[1:]:
        town.browser("ivan").post(url("pend_confirm", proposal.pk))
    assert (many[0], *asked()) == (len(lines), 1, many[1])
    assert len(lines) > 4


def test_the_filter_offers_only_checks_with_lines(town: Town) -> None:
    browser = town.browser("halyna")
    offered = re.findall(r"check=(CLM-\d\d)", text(browser.get(url("pends"))))
    assert offered == [DEFAULT]
    chosen = browser.get(url("pends"), {"check": "CLM-24"})
    assert [code for code, _title in chosen.context["checks"]] == [DEFAULT, "CLM-24"]
