"""The page of a late claim: what each reader is told and may do about its term."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from config.accounts.models import Organisation, User
from contracts.actions.reference import load_reference
from contracts.models import Provider, ProviderUser
from settlement.models import RestoredTerm
from tests.config.program import key_of
from tests.settlement.actions.month import KYIV, free_visits, imported, judge, the_claim
from tests.settlement.views.town import people, url
from tests.signed_in import browser

pytestmark = pytest.mark.django_db
AT = datetime(2026, 2, 12, 10, tzinfo=KYIV)
LATE = "This claim came 12 days after the last day for its month"


@pytest.fixture
def users(tmp_path: Path) -> dict[str, User]:
    load_reference(at=AT - timedelta(days=900))
    tables = free_visits()
    tables["claims"][0]["submitted_at"] = "2026-02-10T09:30:00+02:00"
    office = imported(tables, tmp_path)
    office.clock_offset = AT - timezone.now()
    office.save()
    found = people(office)
    ProviderUser.objects.create(provider=Provider.objects.get(code="P1"), user=found["nadiia"])
    return found


def page(users: dict[str, User], name: str, address: str = "") -> str:
    answer = browser(users[name], "en").get(address or url("claim", the_claim().pk))
    return " ".join(answer.content.decode().replace("\xa0", " ").split())


def post(users: dict[str, User], name: str, address: str, **data: Any) -> str:
    answer = browser(users[name], "en").post(address, data, follow=True)
    return " ".join(answer.content.decode().replace("\xa0", " ").split())


def test_finance_proposes_another_confirms_and_the_provider_reads_it(users: dict[str, User]) -> None:
    new = url("term_new", the_claim().pk)
    assert LATE in page(users, "nadiia") and new not in page(users, "nadiia")
    assert LATE in page(users, "halyna") and new in page(users, "halyna")
    assert "the claim counts as submitted on" in page(users, "halyna", new)
    assert "The proposal is kept." in post(users, "halyna", new, reason="Пожежа в офісі")
    confirm = url("term_confirm", RestoredTerm.objects.get().pk)
    assert confirm not in page(users, "halyna") and confirm not in page(users, "nadiia")
    assert "It is proposed to restore the term" in page(users, "nadiia")
    assert the_claim().number in page(users, "ivan", "/waiting/terms_to_decide/")
    assert the_claim().number not in page(users, "halyna", "/waiting/terms_to_decide/")
    assert confirm in page(users, "ivan")
    assert "The provider is told." in post(users, "ivan", confirm)
    told = page(users, "nadiia")
    assert "Term restored" in told and "Пожежа в офісі" in told and LATE not in told
    assert "Counts as submitted" in told


def test_a_refusal_is_read_by_the_provider(users: dict[str, User]) -> None:
    post(users, "halyna", url("term_new", the_claim().pk), reason="Пожежа")
    refuse = url("term_refuse", RestoredTerm.objects.get().pk)
    assert "Say why" in post(users, "ivan", refuse, reason="")
    assert "The claim stays late." in post(users, "ivan", refuse, reason="Не той день")
    told = page(users, "nadiia")
    assert "Term not restored" in told and "Не той день" in told and LATE in told
    assert url("term_new", the_claim().pk) in page(users, "halyna")


@pytest.mark.parametrize("name", ["nadiia", "mariia", "oksana"])
def test_nobody_else_proposes_or_decides(users: dict[str, User], name: str) -> None:
    post(users, "halyna", url("term_new", the_claim().pk), reason="Пожежа")
    key = RestoredTerm.objects.get().pk
    for address in (url("term_new", the_claim().pk), url("term_confirm", key), url("term_refuse", key)):
        assert browser(users[name], "en").post(address, {"reason": "так"}).status_code in (403, 404)
    assert RestoredTerm.objects.get().status == "proposed"


def test_what_is_wrong_comes_back_in_words(users: dict[str, User]) -> None:
    post(users, "halyna", url("term_new", the_claim().pk), reason="Пожежа")
    assert "proposed or decided already" in post(users, "ivan", url("term_new", the_claim().pk), reason="ще")
    assert "Another person must" in post(users, "halyna", url("term_confirm", RestoredTerm.objects.get().pk))


def test_a_claim_refused_as_late_says_the_way(users: dict[str, User]) -> None:
    assert "the way is an appeal" not in page(users, "nadiia")
    judge(Organisation.objects.get(code="TEST"), at=AT)
    assert "the way is an appeal" in page(users, "nadiia")


def test_programs_read_both_times(users: dict[str, User]) -> None:
    secret = key_of(users["nadiia"], Organisation.objects.get(code="TEST"))[1]

    def read() -> Any:
        address = f"/api/v1/claims/{the_claim().pk}"
        return Client().get(address, headers={"Authorization": f"Bearer {secret}"}).json()

    before = read()
    assert before["counts_as_submitted_at"] == before["submitted_at"]
    post(users, "halyna", url("term_new", the_claim().pk), reason="Пожежа")
    post(users, "ivan", url("term_confirm", RestoredTerm.objects.get().pk))
    after = read()
    assert after["submitted_at"] == before["submitted_at"] > after["counts_as_submitted_at"]
