"""Claims for programs, over a real server: the same scope, refusals and words as on the pages."""

from __future__ import annotations

import uuid
from html import unescape
from pathlib import Path
from typing import Any, get_args

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.accounts.models import Membership, Organisation
from config.audit.models import AuditEvent
from contracts.models import Contract, Provider
from settlement.api_shapes import Start, State
from settlement.models import Claim, ClaimLine
from settlement.money_trail_sql import STARTS
from settlement.views.claims import states
from tests.config.program import Program, key_of
from tests.settlement.views.town import Town, settled_town, url

pytestmark = pytest.mark.django_db(transaction=True)
LINE = {
    "service_code": "015.1",
    "service_date": "2025-12-03",
    "units": "1.5",
    "unit_rate": "95.00",
    "certificate_number": "C1",
    "worker_code": "W1",
    "starts_at": "2025-12-03T09:00",
    "ends_at": "2025-12-03T10:30",
}
WISH = {"contract": "K1", "period": "2025-12", "lines": [LINE]}


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return settled_town(tmp_path)


@pytest.fixture
def nadiia(town: Town, live_server: Any) -> Program:
    """The program of the provider."""
    town.users["nadiia"].language = "en"
    town.users["nadiia"].save()
    return program(town, live_server, "nadiia")


def program(town: Town, live_server: Any, username: str) -> Program:
    return Program(live_server.url, key_of(town.users[username], town.organisation)[1])


def test_the_claim_is_read_with_the_words_of_its_page(town: Town, nadiia: Program) -> None:
    answer = nadiia.get(f"/claims/{town.claim.pk}")
    assert answer.status == 200
    assert answer.body["claimed"] == "2200.50"
    steps = [step for line in answer.body["lines"] for run in line["runs"] for step in run["steps"]]
    page = unescape(town.browser("nadiia").get(url("claim", town.claim.pk)).content.decode())
    assert len(answer.body["lines"]) == 15
    assert "The contract's rate of 95.00 is below the claimed 98.00: the rate was lowered." in {
        step["sentence"] for step in steps
    }
    assert [step["sentence"] for step in steps if step["sentence"] not in page] == []
    for line in answer.body["lines"]:
        last = line["runs"][-1]
        assert float(last["allowed"]) - float(last["fee"]) == pytest.approx(float(last["payable"]))


def test_filters_and_starts_are_all_there_are() -> None:
    assert list(get_args(State)) == states()
    assert set(get_args(Start)) == set(STARTS)


def test_lines_come_in_pages(town: Town, nadiia: Program) -> None:
    first = nadiia.get(f"/claims/{town.claim.pk}?limit=10").body
    second = nadiia.get(f"/claims/{town.claim.pk}?limit=10&after_line={first['next_line']}").body
    assert [row["line"] for row in first["lines"] + second["lines"]] == list(range(1, 16))
    assert second["next_line"] is None


def test_claims_come_in_pages_newest_first(town: Town, nadiia: Program) -> None:
    made = [nadiia.post("/claims", WISH).body["id"] for _ in range(3)]
    first = nadiia.get("/claims?limit=2").body
    second = nadiia.get(f"/claims?limit=2&after={first['next']}").body
    assert [row["id"] for row in first["items"] + second["items"]] == [*reversed(made), town.claim.pk]
    assert second["next"] is None
    assert [row["number"] for row in nadiia.get("/claims?period=2025-11").body["items"]] == ["A-1"]
    assert second["items"][-1]["claimed"] == "2200.50"


def test_a_claim_is_drafted_corrected_submitted_and_withdrawn(town: Town, nadiia: Program) -> None:
    made = nadiia.post("/claims", WISH)
    assert (made.status, made.body["status"], made.body["line_count"]) == (201, "draft", 1)
    path = f"/claims/{made.body['id']}"
    other = {**LINE, "service_date": "2025-12-04", "units": "2", "amount": "190.00"}
    assert nadiia.put(f"{path}/lines", {"lines": [LINE, other]}).body["line_count"] == 2
    claim = Claim.objects.get(pk=made.body["id"])
    line = claim.lines.get(line=2)
    assert (line.units_milli, line.unit_rate_e4, line.amount_e4) == (2000, 950_000, 1_900_000)
    assert f"{line.starts_at:%H:%M %z}" == "07:00 +0000"  # a time without a zone is of Kyiv
    assert nadiia.post(f"{path}/submit").body["status"] == "submitted"
    refused = nadiia.put(f"{path}/lines", {"lines": [LINE]})
    assert (refused.status, refused.body["status"]) == (409, 409)
    assert claim.lines.count() == 2
    assert nadiia.post(f"{path}/withdraw", {"reason": "помилка"}).body["status"] == "withdrawn"
    assert nadiia.post(f"{path}/submit").status == 409


def test_a_claim_is_drafted_from_confirmed_redemptions_once(town: Town, nadiia: Program) -> None:
    wish = {"contract": "K1", "period": "2025-12"}
    made = nadiia.post("/claims/from-redemptions", wish)
    assert (made.status, made.body["line_count"]) == (201, 2)
    again = nadiia.post("/claims/from-redemptions", wish)
    assert (again.status, again.body["title"]) == (409, "NOTHING_TO_CLAIM")
    assert again.headers["Content-Type"] == "application/problem+json"


def test_a_repeated_request_gets_the_first_answer_and_does_nothing(town: Town, nadiia: Program) -> None:
    key, events = uuid.uuid4().hex, AuditEvent.objects.count()
    first = nadiia.post("/claims", WISH, key)
    path = f"/claims/{first.body['id']}"
    assert nadiia.post(f"{path}/submit").status == 200
    second = nadiia.post("/claims", WISH, key)
    # The first answer, though the claim is submitted by now.
    assert (second.status, second.body) == (first.status, first.body)
    assert Claim.objects.filter(period="2025-12-01").count() == 1
    assert AuditEvent.objects.count() == events + 2


def test_a_key_used_for_another_request_is_refused(town: Town, nadiia: Program) -> None:
    key = uuid.uuid4().hex
    first = nadiia.post("/claims", WISH, key)
    for body in ({**WISH, "period": "2025-11"}, {**WISH, "lines": [LINE, LINE]}):
        answer = nadiia.post("/claims", body, key)
        assert (answer.status, answer.body["title"]) == (409, "IDEMPOTENCY_CONFLICT")
    other = nadiia.post(f"/claims/{first.body['id']}/submit", key=key)
    assert (other.status, other.body["title"]) == (409, "IDEMPOTENCY_CONFLICT")
    assert list(Claim.objects.filter(period="2025-12-01").values_list("status", flat=True)) == ["draft"]


def test_a_refused_request_leaves_its_key_free(town: Town, nadiia: Program) -> None:
    key, wish = uuid.uuid4().hex, {"contract": "K1", "period": "2025-10"}
    assert nadiia.post("/claims/from-redemptions", wish, key).status == 409
    assert nadiia.post("/claims/from-redemptions", {**wish, "period": "2025-12"}, key).status == 201


def test_two_persons_may_use_the_same_key_text(town: Town, nadiia: Program, live_server: Any) -> None:
    contract = Contract.objects.get(number="K1")
    other = Contract.objects.create(
        organisation=contract.organisation, number="K9", provider=Provider.objects.get(code="P9"),
        budget_line=contract.budget_line, basis="award", valid_from=contract.valid_from, status="active",
    )  # fmt: skip
    key = uuid.uuid4().hex
    first = nadiia.post("/claims", WISH, key)
    second = program(town, live_server, "taras").post("/claims", {**WISH, "contract": other.number}, key)
    assert (first.status, second.status) == (201, 201)
    assert first.body["id"] != second.body["id"]


@pytest.mark.parametrize("username", ["taras", "outsider", "olena"])
def test_strangers_see_nothing_and_change_nothing(town: Town, live_server: Any, username: str) -> None:
    stranger, claim = program(town, live_server, username), town.claim.pk
    refusal = 404 if username == "taras" else 403
    listed = stranger.get("/claims")
    assert listed.body["items"] == [] if username == "taras" else listed.status == 403
    assert stranger.get(f"/claims/{claim}").status == refusal
    assert stranger.post("/claims", WISH).status == refusal
    assert stranger.post("/claims/from-redemptions", {"contract": "K1", "period": "2025-12"}).status == refusal
    assert stranger.put(f"/claims/{claim}/lines", {"lines": [LINE]}).status == refusal
    assert stranger.post(f"/claims/{claim}/submit").status == refusal
    assert stranger.post(f"/claims/{claim}/withdraw", {"reason": "x"}).status == refusal
    assert stranger.get(f"/money/claim/{claim}").status == 403
    assert (Claim.objects.count(), ClaimLine.objects.count()) == (1, 15)


def test_a_key_opens_one_organisation_only(town: Town, nadiia: Program, live_server: Any) -> None:
    other = Organisation.objects.create(code="other", name="Інша громада")
    foreign = Program(live_server.url, key_of(town.users["nadiia"], other)[1])
    assert nadiia.get(f"/claims/{town.claim.pk}").status == 200
    assert foreign.get("/claims").body["items"] == []
    assert foreign.get(f"/claims/{town.claim.pk}").status == 404
    assert foreign.post("/claims", WISH).status == 404


def test_an_office_reads_what_was_handed_in_and_writes_nothing(town: Town, nadiia: Program, live_server: Any) -> None:
    nadiia.post("/claims", WISH)
    halyna = program(town, live_server, "halyna")
    assert [row["number"] for row in halyna.get("/claims").body["items"]] == ["A-1"]
    assert halyna.get(f"/claims/{town.claim.pk}").status == 200
    assert halyna.post("/claims", WISH).status == 403


def test_the_keys_of_another_office_find_nothing(town: Town, live_server: Any) -> None:
    other = Organisation.objects.create(code="other", name="Інша громада")
    Membership.objects.filter(user=town.users["halyna"]).update(organisation=other)
    halyna = Program(live_server.url, key_of(town.users["halyna"], other)[1])
    assert halyna.get("/claims").body["items"] == []
    assert halyna.get(f"/claims/{town.claim.pk}").status == 404
    # A key for an organisation in which the person holds no role opens nothing at all.
    assert program(town, live_server, "halyna").get("/claims").status == 403


def test_the_road_of_money_is_the_same_as_on_its_page(town: Town, live_server: Any) -> None:
    page = town.browser("mariia").get(f"/money/claim/{town.claim.pk}/?format=json").json()
    mariia = program(town, live_server, "mariia")
    assert {**mariia.get(f"/money/claim/{town.claim.pk}").body, "levels": 0} == {**page, "levels": 0}
    assert mariia.get(f"/money/claim/{town.claim.pk + 1000}").status == 404
    assert mariia.get(f"/money/nothing/{town.claim.pk}").status == 422


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"units": "0"}, "units"),
        ({"units": "1,5"}, "units"),
        ({"units": 1.5}, "units"),
        ({"units": "10000"}, "units"),
        ({"unit_rate": "95.00001"}, "unit_rate"),
        ({"unit_rate": "-1"}, "unit_rate"),
        ({"service_date": "2025-02-30"}, "service_date"),
        ({"service_date": "0001-01-01"}, "service_date"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "starts_at"),
        ({"worker_code": "W\x00"}, "worker_code"),
        ({"worker_code": "\ud800"}, "worker_code"),
        ({"worker": "W1"}, "worker"),
    ],
)
def test_values_that_cannot_be_used_are_named(town: Town, nadiia: Program, changes: dict[str, Any], where: str) -> None:
    answer = nadiia.post("/claims", {**WISH, "lines": [LINE, {**LINE, **changes}]})
    assert (answer.status, answer.body["title"]) == (422, "REQUEST_INVALID")
    assert [error["at"][-3:] for error in answer.body["errors"]] == [["lines", 1, where]]
    assert Claim.objects.count() == 1


def test_the_number_of_queries_does_not_depend_on_rows(town: Town, nadiia: Program) -> None:
    secret = nadiia.secret
    nadiia.post("/claims", WISH)

    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert Client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
        return len(captured)

    queries("/claims")  # the use of the key is noted
    few = (queries("/claims"), queries(f"/claims/{town.claim.pk}?limit=2"))
    for _ in range(4):
        nadiia.post("/claims", WISH)
    assert (queries("/claims"), queries(f"/claims/{town.claim.pk}?limit=15")) == few
    assert max(few) <= 25


def test_lines_at_the_largest_figures_can_be_read_again(town: Town, nadiia: Program, live_server: Any) -> None:
    largest = {**LINE, "units": "9999.999", "unit_rate": "999999.9999", "amount": "999999999.9999"}
    made = nadiia.post("/claims", {**WISH, "lines": [largest] * 50})
    assert nadiia.post(f"/claims/{made.body['id']}/submit").status == 200
    assert nadiia.get("/claims").body["items"][0]["claimed"] == "499999949950.00"
    assert program(town, live_server, "halyna").get(f"/claims/{made.body['id']}").status == 200


def test_a_draft_is_checked_in_the_words_of_the_later_decision(town: Town, nadiia: Program) -> None:
    claim = nadiia.post("/claims", {**WISH, "lines": [LINE, {**LINE, "certificate_number": "none"}]}).body["id"]
    checked = nadiia.post(f"/claims/{claim}/precheck")
    assert (checked.status, checked.body["claimed"], checked.body["outcomes"]) == (
        200, "285.00", {"rejected": 1, "pended": 1},
    )  # fmt: skip
    said = [step["sentence"] for line in checked.body["lines"] for step in line["runs"][-1]["steps"]]
    assert "There is no certificate «none», or its recipient is not on the register." in said
    page = nadiia.post(f"/claims/{claim}/precheck", {"after_line": 1, "limit": 1}).body
    assert [row["line"] for row in page["lines"]] == [2] and page["next_line"] is None
    assert nadiia.get(f"/claims/{claim}").body["status"] == "draft"
    refused = nadiia.post(f"/claims/{town.claim.pk}/precheck")
    assert (refused.status, refused.body["title"]) == (409, "INVALID_STATE")
