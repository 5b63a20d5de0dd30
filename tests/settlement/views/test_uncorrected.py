"""Closed months wait until a correction follows what was put right, or a person says why none is needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.accounts.models import Organisation
from config.audit.models import AuditEvent
from settlement.actions.bank_lines import ReasonMissing
from settlement.actions.corrections import cancel_correction
from settlement.actions.uncorrected import NothingWaits, need_no_correction
from settlement.models import ClosedMonth
from settlement.uncorrected_queries import learnt_of, uncorrected_months
from tests.settlement.actions.corrected_town import LATER, approve, by, closed_town, lower_income, propose
from tests.settlement.actions.month import NOVEMBER
from tests.settlement.actions.put_right import WHY, put_norm_right, put_parameter_right, put_price_right
from tests.settlement.views.town import Town, url

pytestmark = pytest.mark.django_db
FACTS: dict[str, tuple[Callable[[Town], Any], str, str]] = {
    "norm": (lambda town: put_norm_right(town, "-2.31"), "contracts.normcost", "norm"),
    "price": (lambda town: put_price_right(town, "92.00"), "contracts.pastterms", "norm"),
    "parameter": (
        lambda town: put_parameter_right(town, "worker.hours_per_day_max", "1"), "contracts.parameterproposal", "norm",
    ),
    "fee": (lambda town: lower_income(), "vouchers.feerevision", "income"),
}  # fmt: skip


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return closed_town(tmp_path)


def waiting(town: Town) -> list[Any]:
    return [month.month for month in uncorrected_months(town.organisation)]


def say(town: Town, reason: str = "Суми лишаються ті самі", **changes: Any) -> ClosedMonth:
    values = by(town, "halyna") | {"month_id": ClosedMonth.objects.get().pk, "reason": reason}
    return need_no_correction(**values | changes)


@pytest.mark.parametrize("name", FACTS)
def test_a_month_waits_until_its_correction_is_prepared(town: Town, name: str) -> None:
    learn, model, ground = FACTS[name]
    assert waiting(town) == []
    learn(town)
    assert waiting(town) == [NOVEMBER]
    month = ClosedMonth.objects.get()
    (fact,) = learnt_of(town.organisation, [month])[month.pk]
    assert fact.label.partition(":")[0] == model and fact.ground == ground and fact.reason
    made = propose(town, ground=ground)
    assert waiting(town) == []
    cancel_correction(**by(town, "halyna"), correction_id=made.pk, reason="Ще раз")
    assert waiting(town) == [NOVEMBER], "what was given up corrects nothing"
    approve(town, propose(town, ground=ground))
    assert waiting(town) == []


def test_a_person_says_why_none_is_needed_and_what_comes_later_waits_anew(town: Town) -> None:
    with pytest.raises(NothingWaits):
        say(town)
    norm = put_norm_right(town, "-2.31")
    with pytest.raises(ReasonMissing):
        say(town, " ")
    assert waiting(town) == [NOVEMBER]
    month = say(town)
    assert waiting(town) == []
    event = AuditEvent.objects.get(action="correction.not_needed")
    assert event.objects_touched == [f"settlement.closedmonth:{month.pk}", f"contracts.normcost:{norm.pk}"]
    assert (event.actor, event.data["reason"]) == ("halyna", "Суми лишаються ті самі")
    with pytest.raises(NothingWaits):
        say(town)
    put_price_right(town, "89.00", at=LATER + timedelta(hours=1))
    assert waiting(town) == [NOVEMBER]
    (fact,) = learnt_of(town.organisation, [month])[month.pk]
    assert fact.label.startswith("contracts.pastterms")


def test_what_touches_no_decided_line_or_another_office_does_not_wait(
    town: Town, other_organisation: Organisation
) -> None:
    put_norm_right(town, "-2.31")
    assert not uncorrected_months(other_organisation).exists()
    with pytest.raises(NothingWaits):
        say(town, organisation=other_organisation)
    assert waiting(town) == [NOVEMBER]


def test_the_page_says_what_became_known_and_takes_the_reason(town: Town) -> None:
    halyna = town.browser("halyna")
    card = '<span class="figure">{}</span><span class="what">Closed months to correct</span>'
    assert card.format(0) in halyna.get("/").content.decode()
    assert "No closed month waits" in halyna.get(url("uncorrected_months")).content.decode()
    norm = put_norm_right(town, "-2.31")
    assert card.format(1) in halyna.get("/").content.decode()
    page = halyna.get(url("uncorrected_months")).content.decode()
    assert "11.2025" in page and "Norm cost" in page and WHY in page and f"/contracts/norms/{norm.pk}/" in page
    assert "?month=2025-11&amp;ground=norm&amp;reason=Norm%20cost%20" in page
    month = ClosedMonth.objects.get()
    empty = halyna.post(url("not_needed", month.pk), {"reason": ""}, follow=True).content.decode()
    assert "Write a reason" in empty and "11.2025" in empty
    done = halyna.post(url("not_needed", month.pk), {"reason": "Суми ті самі"}, follow=True).content.decode()
    assert "The month no longer waits." in done and "No closed month waits" in done
    again = halyna.post(url("not_needed", month.pk), {"reason": "Суми ті самі"}, follow=True).content.decode()
    assert "Nothing waits for this month" in again
    trail = town.browser("mariia").get(f"/trail/settlement.closedmonth/{month.pk}/").content.decode()
    assert "needs no correction" in trail and "Суми ті самі" in trail


def test_only_who_prepares_corrections_may_say_so(town: Town) -> None:
    put_norm_right(town, "-2.31")
    month = ClosedMonth.objects.get()
    for name in ("ivan", "mariia", "nadiia", "sofiia", "olena"):
        client = town.browser(name)
        assert client.get(url("uncorrected_months")).status_code == 403, name
        assert client.post(url("not_needed", month.pk), {"reason": "x"}).status_code == 403, name
    assert waiting(town) == [NOVEMBER]


def test_one_query_finds_the_months_whatever_became_known(town: Town) -> None:
    asked: list[int] = []
    for travel in ("-2.31", "-1.31"):
        put_norm_right(town, travel, at=LATER + timedelta(hours=len(asked)))
        client = town.browser("halyna")
        client.get(url("uncorrected_months"))
        with CaptureQueriesContext(connection) as queries:
            client.get(url("uncorrected_months"))
        asked.append(len(queries))
    assert asked[0] == asked[1]
