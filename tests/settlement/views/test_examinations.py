"""Pages of visits to be verified and of who stands close: who sees and answers what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.templatetags.show import minor
from contracts.actions.reference import load_reference
from contracts.models import Parameter
from settlement.models import ClosenessHint, RunExamination, VerificationVisit
from tests.conftest import AT
from tests.settlement.views.town import Town, settled_town, url

pytestmark = pytest.mark.django_db
ANSWER = {"outcome": "otherwise", "checked_on": "2025-12-03", "note": "лише година"}


@pytest.fixture
def town(tmp_path: Path) -> Town:
    load_reference(at=AT)
    return settled_town(tmp_path)


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().replace("\xa0", " ").split())


def test_drawn_with_a_button_verified_by_a_case_worker_read_by_finance(town: Town) -> None:
    finance, worker = town.browser("halyna"), town.browser("sofiia")
    run = url("adjudication_run", town.run.pk)
    assert "Draw visits to be verified" in text(finance.get(run))
    assert "not drawn yet" in text(town.browser("mariia").get(run))
    finance.post(url("run_examine", town.run.pk))
    assert "Draw visits to be verified" not in text(finance.get(run))
    (visit,) = VerificationVisit.objects.all()
    page = text(worker.get(url("verifications")))
    assert "Record what the recipient says" in page and "R1" in page
    assert "Record what the recipient says" not in text(finance.get(url("verifications")))
    form = url("verification_record", visit.pk)
    assert worker.post(form, ANSWER | {"note": ""}).status_code == 200
    assert worker.post(form, ANSWER | {"checked_on": "2026-01-01"}).status_code == 409
    assert worker.post(form, ANSWER).status_code == 302
    page = text(finance.get(url("verifications")))
    assert "лише година" in page and '<td class="number" data-label="%">100</td>' in page
    assert "лише година" not in text(finance.get(url("verifications"), {"state": "open"}))
    assert "лише година" in text(finance.get(url("verifications"), {"state": "otherwise", "q": "R1"}))
    assert worker.post(form, ANSWER).status_code == 409


def test_only_those_who_may(town: Town) -> None:
    town.browser("halyna").post(url("run_examine", town.run.pk))
    (visit,) = VerificationVisit.objects.all()
    (hint,) = ClosenessHint.objects.all()
    refused = {
        "nadiia": (url("verifications"), url("hints"), url("verification_record", visit.pk)),
        "bohdan": (url("verifications"), url("hints")),
        "sofiia": (url("hints"), url("hint_feedback", hint.pk)),
        "halyna": (url("verification_record", visit.pk),),
        "mariia": (url("hint_feedback", hint.pk), url("verification_record", visit.pk)),
    }
    for username, addresses in refused.items():
        for address in addresses:
            assert town.browser(username).get(address).status_code == 403, (username, address)
    assert town.browser("mariia").post(url("run_examine", town.run.pk)).status_code == 403
    for username in ("sofiia", "halyna", "mariia"):
        assert town.browser(username).get(url("verifications")).status_code == 200


def test_a_hint_shows_its_figures_and_takes_feedback(town: Town) -> None:
    finance = town.browser("halyna")
    assert "There are no such hints" in text(finance.get(url("hints")))
    finance.post(url("run_examine", town.run.pk))
    (hint,) = ClosenessHint.objects.all()
    page = text(finance.get(url("hints")))
    assert "Visits of the two in the run: 12, of 12 of the worker and 12 of the recipient." in page
    assert minor(171_000, "UAH").replace("\xa0", " ") in page
    assert "There are no such hints" in text(finance.get(url("hints"), {"kind": "family"}))
    assert finance.post(url("hint_feedback", hint.pk), {"reason": ""}).status_code == 200
    assert finance.post(url("hint_feedback", hint.pk), {"reason": "єдина в селі"}).status_code == 302
    assert "єдина в селі" in text(town.browser("mariia").get(url("hints")))
    assert finance.post(url("hint_feedback", hint.pk), {"reason": "ще"}).status_code == 409
    assert url("hints") in text(finance.get(url("patterns")))


def test_queries_do_not_grow_with_the_visits(town: Town) -> None:
    def asked(name: str) -> int:
        browser = town.browser("sofiia" if name == "verifications" else "halyna")
        browser.get(url(name))
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(url(name)).status_code == 200
        return len(queries)

    town.browser("halyna").post(url("run_examine", town.run.pk))
    before = {name: asked(name) for name in ("verifications", "hints")}
    examination, hint = RunExamination.objects.get(), ClosenessHint.objects.get()
    for line in town.claim.lines.exclude(verification__isnull=False)[:8]:
        VerificationVisit.objects.create(examination=examination, claim_line=line)
    for kind in ("family", "representative"):
        hint.pk, hint.kind, hint._state.adding = None, kind, True
        hint.save()
    assert {name: asked(name) for name in before} == before


def test_judging_a_month_draws_at_once(town: Town) -> None:
    browser = town.browser("nadiia")
    browser.post(url("claim_from_redemptions"), {"period": "2025-12", "contract": town.claim.contract_id})
    made = town.claim.provider.claims.latest("pk")
    browser.post(url("claim_submit", made.pk))
    town.browser("halyna").post(url("run_start"), {"period": "2025-12"})
    made.refresh_from_db()
    assert made.status == "adjudicated"
    assert VerificationVisit.objects.get().claim_line.claim == made
    assert Parameter.objects.filter(key="claim.sample_pct").exists()
