"""Pages of the procurement app: scope, sealed bids, one call per button, constant queries of lists."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from config.accounts.models import Membership, Organisation, User
from config.clock import business_now
from config.office.storage import attachments_of
from config.roles import OFFICER
from contracts.models import Parameter
from procurement.actions import awards, competitions, evaluation
from procurement.models import Bid, ProcurementPlan, Score, Tender
from tests.road import ANNEXES, CLOSE, OPENING, PUBLISHED, SCORED, Road, assert_same_queries, sign_in

pytestmark = pytest.mark.django_db


def at(organisation: Organisation, moment: datetime) -> None:
    """Play the business clock: the pages live at this moment."""
    organisation.clock_offset = moment - business_now()
    organisation.save(update_fields=["clock_offset"])


@pytest.fixture
def running(road: Road) -> Tender:
    """An announced social order on the day its bids are written."""
    road.provider("A", "nadiia")
    road.provider("B", "taras")
    tender = road.publish(road.draft_order())
    at(road.organisation, PUBLISHED + timedelta(days=10))
    return tender


def page(client: Client, user: User, name: str, *args: int) -> int:
    return sign_in(client, user).get(reverse(f"procurement:{name}", args=args)).status_code


@pytest.mark.parametrize("name", ["plans", "competitions", "bids", "plan_new", "competition_new"])
def test_outsider_sees_no_list(client: Client, road: Road, name: str) -> None:
    assert page(client, road.cast["outsider"], name) == 403


def test_outsider_sees_nothing_of_a_competition(client: Client, road: Road, running: Tender) -> None:
    bid = road.bid(running, "A")
    for name, pk in (("competition", running.pk), ("bid", bid.pk), ("scoring", running.pk), ("bid_new", running.pk)):
        assert page(client, road.cast["outsider"], name, pk) == 403


def test_other_municipality_finds_nothing(
    client: Client, road: Road, running: Tender, other_organisation: Organisation
) -> None:
    stranger = User.objects.create(username="stranger")
    Membership.objects.create(user=stranger, organisation=other_organisation, role=OFFICER)
    assert page(client, stranger, "competition", running.pk) == 404
    assert running.number not in sign_in(client, stranger).get(reverse("procurement:competitions")).content.decode()


def test_roles_see_the_competition(client: Client, road: Road, running: Tender) -> None:
    for name in ("bohdan", "mariia", "chair", "nadiia", "halyna"):
        assert page(client, road.cast[name], "competition", running.pk) == 200
        assert page(client, road.cast[name], "competitions") == 200


def test_unpublished_competition_is_hidden_from_providers(client: Client, road: Road) -> None:
    assert page(client, road.cast["nadiia"], "competition", road.draft_order().pk) == 404


def test_sealed_bid_is_read_by_its_author_alone(client: Client, road: Road, running: Tender) -> None:
    bid = road.bid(running, "A")
    assert page(client, road.cast["nadiia"], "bid", bid.pk) == 200
    for name in ("bohdan", "chair", "mariia", "taras"):
        assert page(client, road.cast[name], "bid", bid.pk) == 404
    shown = sign_in(client, road.cast["bohdan"]).get(reverse("procurement:competition", args=[running.pk]))
    words = strip_tags(shown.content.decode())
    assert "85,00" not in words and "120" not in words


def test_opened_bid_is_read_by_the_office_and_the_commission_only(client: Client, road: Road) -> None:
    road.provider("A", "nadiia")
    road.provider("B", "taras")
    tender, offered = road.scored_order()
    for name, status in (("bohdan", 200), ("chair", 200), ("mariia", 200), ("nadiia", 200), ("taras", 404)):
        assert page(client, road.cast[name], "bid", offered["A"].pk) == status
    assert page(client, road.cast["chair"], "scoring", tender.pk) == 200
    assert page(client, road.cast["bohdan"], "scoring", tender.pk) == 403


def test_bid_is_submitted_with_its_file_and_withdrawn(client: Client, road: Road, running: Tender) -> None:
    signed = sign_in(client, road.cast["nadiia"])
    values = {
        "unit_price": "85.00",
        "recipients": "120",
        "note": "",
        "seal": "1",
        "file_statute": SimpleUploadedFile("s.pdf", b"statute", "application/pdf"),
    }
    signed.post(reverse("procurement:bid_new", args=[running.pk]), values)
    bid = Bid.objects.get()
    assert bid.status == "submitted" and bid.provider == road.provider("A")
    again = signed.post(
        reverse("procurement:bid_new", args=[running.pk]), {"unit_price": "1", "recipients": "1", "seal": "1"}
    )
    assert again.status_code == 409 and Bid.objects.count() == 1
    assert (
        sign_in(client, road.cast["taras"]).post(reverse("procurement:bid_withdraw", args=[bid.pk])).status_code == 404
    )
    sign_in(client, road.cast["nadiia"]).post(reverse("procurement:bid_withdraw", args=[bid.pk]))
    bid.refresh_from_db()
    assert bid.status == "withdrawn"


def test_officer_and_commission_bring_a_competition_to_its_contract(
    client: Client, road: Road, running: Tender
) -> None:
    bid = road.bid(running, "A")

    def post(username: str, name: str, pk: int, **values: object) -> None:
        answer = sign_in(client, road.cast[username]).post(reverse(f"procurement:{name}", args=[pk]), values)
        assert answer.status_code == 302

    post("bohdan", "competition_open", running.pk)
    running.refresh_from_db()
    assert running.opened_at is None, "not before the deadline"
    at(road.organisation, OPENING)
    for member in ("chair", "member2", "member3", "member4", "member5"):
        post(member, "competition_declare", running.pk, conflict="no", statement="")
    post("bohdan", "competition_open", running.pk)
    post("bohdan", "bid_admit", bid.pk)
    marks = typed(bid, compliance="5", finance="4", experience="5", staff="4")
    for member in ("chair", "member2", "member3", "member4", "member5"):
        post(member, "scoring", running.pk, **marks)
        post(member, "scoring", running.pk, **marks, lock="1")
    post("bohdan", "competition_evaluate", running.pk)
    post("bohdan", "competition_award", running.pk, reason="найбільша сума балів")
    award = running.awards.get()
    post("bohdan", "award_conclude", award.pk)
    award.refresh_from_db()
    assert award.contract is None, "the stand-still runs"
    at(road.organisation, award.standstill_until + timedelta(minutes=1))
    post("bohdan", "award_conclude", award.pk)
    award.refresh_from_db()
    assert award.contract is not None and award.contract.status == "active"
    for name in ("bohdan", "chair", "nadiia"):
        assert page(client, road.cast[name], "competition", running.pk) == 200


def test_member_sees_own_marks_only(client: Client, road: Road) -> None:
    tender, offered = road.scored_order()
    evaluation.score_bid(
        bid=offered["A"], marks={"staff": Decimal("1.25")}, reason="x", actor=road.actor("member2"), at=SCORED
    )
    url = reverse("procurement:scoring", args=[tender.pk])
    assert "1,25" in sign_in(client, road.cast["member2"]).get(url).content.decode()
    assert "1,25" not in sign_in(client, road.cast["chair"]).get(url).content.decode()


def test_rejection_needs_its_ground(client: Client, road: Road, running: Tender) -> None:
    bid = road.bid(running, "C")
    at(road.organisation, OPENING)
    signed = sign_in(client, road.cast["bohdan"])
    signed.post(reverse("procurement:competition_open", args=[running.pk]))
    url = reverse("procurement:bid_reject", args=[bid.pk])
    assert signed.post(url, {"ground": "PRC-REJ-99", "reason": "x"}).status_code == 200
    signed.post(url, {"ground": "PRC-REJ-6", "reason": "101 вище за 96,54"})
    bid.refresh_from_db()
    assert (bid.status, bid.rejection_code) == ("rejected", "PRC-REJ-6")


def test_documentation_is_written_approved_and_announced(client: Client, road: Road) -> None:
    at(road.organisation, PUBLISHED)
    criteria = {"criteria-TOTAL_FORMS": "2", "criteria-INITIAL_FORMS": "0"}
    rows = (("staff", "Персонал", "scored", "70"), ("price", "Ціна", "price", "30"))
    for number, (code, title, kind, weight) in enumerate(rows):
        criteria |= {
            f"criteria-{number}-code": code,
            f"criteria-{number}-title": title,
            f"criteria-{number}-kind": kind,
            f"criteria-{number}-weight": weight,
        }
    values = {
        "kind": "social_order",
        "title": "Догляд вдома",
        "service": road.service.pk,
        "norm_cost": road.norm.pk,
        "budget_line": road.line.pk,
        "value": "1000.00",
        "contract_from": "2025-04-01",
        "contract_to": "2025-12-31",
        "required_documents": "Статут\nДовідка",
    }
    signed = sign_in(client, road.cast["bohdan"])
    empty = signed.get(reverse("procurement:competition_new")).content.decode()
    assert "Догляд вдома — 96,54\N{NO-BREAK SPACE}₴ за годину, з 01.01.2025" in empty
    reversed_days = signed.post(
        reverse("procurement:competition_new"), values | criteria | {"contract_to": "2025-03-01", "value": "5000000.01"}
    )
    assert set(reversed_days.context["form"].errors) == {"contract_to", "value"}
    refused = signed.post(reverse("procurement:competition_new"), values | criteria | {"criteria-1-weight": "20"})
    assert refused.status_code == 200 and not Tender.objects.exists()
    signed.post(reverse("procurement:competition_new"), values | criteria)
    tender = Tender.objects.get()
    assert tender.contract_to == date(2026, 1, 1), "people write the last day"
    assert [row["title"] for row in tender.required_documents] == ["Статут", "Довідка"]
    people = {name: road.cast[name].pk for name in ("chair", "member2", "member3", "member4", "member5")}
    members = [pk for name, pk in people.items() if name != "chair"]
    signed.post(
        reverse("procurement:competition_commission", args=[tender.pk]), {"chair": people["chair"], "members": members}
    )
    sign_in(client, road.cast["oksana"]).post(reverse("procurement:competition_approve", args=[tender.pk]))
    sign_in(client, road.cast["bohdan"]).post(
        reverse("procurement:competition_publish", args=[tender.pk]), {"bids_close_at": f"{CLOSE:%Y-%m-%dT%H:%M}"}
    )
    tender.refresh_from_db()
    assert tender.status == "active" and tender.commission.count() == 5
    shown = sign_in(client, road.cast["bohdan"]).get(reverse("procurement:competition", args=[tender.pk]))
    assert "31 грудня 2025" in shown.content.decode()


def formset(name: str, rows: list[dict[str, object]]) -> dict[str, object]:
    values: dict[str, object] = {f"{name}-TOTAL_FORMS": len(rows), f"{name}-INITIAL_FORMS": 0}
    for number, row in enumerate(rows):
        values |= {f"{name}-{number}-{key}": value for key, value in row.items()}
    return values


def application_input(first_item: str) -> dict[str, object]:
    amounts = (first_item, "184.8", "1559", "111", "162.7", "52", "105.05")
    sources = (("grant", "1300"), ("partner", "100"), ("own", "268"), ("attracted", "1500"))
    months = ((1, 1), (2, 2), (3, 3), (5, 5), (4, 12), (4, 12), (12, 12))
    return {
        "title": "Єдина соціальна мережа",
        "summary": "е-офіси",
        "duration_months": "12",
        "unit_multiplier": "1000",
        "declared_total": "3168",
        "activity_numbers": "1, 2, 3, 4, 5, 6, 7, 10",
        "declared_item_count": "8",
        "partners_declared": "3",
        "partners": "Промінь\n\nДовіра",
        **formset(
            "sources",
            [
                {"kind": kind, "title": kind, "amount": amount} | ({"conditional": "on"} if kind == "own" else {})
                for kind, amount in sources
            ],
        ),
        **formset(
            "items",
            [
                {"title": f"стаття {number}", "amount": amount, "paid_by": "own" if number in (5, 7) else ""}
                for number, amount in enumerate(amounts, 1)
            ],
        ),
        **formset("kpis", [{"title": "офіси", "baseline": "20", "target": "50", "stated_target": "60"}]),
        **formset("steps", [{"month_from": a, "month_to": b, "description": "робота"} for a, b in months]),
    }


def test_application_is_refused_corrected_and_submitted_in_the_browser(client: Client, road: Road) -> None:
    road.provider("A", "nadiia")
    tender = road.publish(road.draft_contest())
    at(road.organisation, PUBLISHED + timedelta(days=10))
    client.cookies["language"] = "en"
    signed = sign_in(client, road.cast["nadiia"])
    assert signed.get(reverse("procurement:application_new", args=[tender.pk])).status_code == 200
    signed.post(reverse("procurement:application_new", args=[tender.pk]), application_input("963.45"))
    bid = Bid.objects.get()
    shown = signed.get(reverse("procurement:bid", args=[bid.pk])).content.decode()
    assert "BUDGET_ITEMS_NE_TOTAL declared=3168.00 items=3138.00 diff=30.00" in shown
    assert "EARMARK_DIFF source=own contribution=268.00 items=267.75 diff=0.25" in shown
    assert all(share in shown for share in ("41.03", "3.16", "8.46", "47.35", "30.41", "99.05", "30.70"))
    assert "ITEM_COUNT declared=8 items=7" in shown and "PARTNERS_DIFF declared=3 listed=2" in shown
    assert "SOURCE_CONDITIONAL source=own amount=268.00" in shown and "KPI_NE_PLAN indicator=офіси" in shown
    client.cookies["language"] = "uk"
    shown = signed.get(reverse("procurement:bid", args=[bid.pk])).content.decode()
    assert "<code>BUDGET_ITEMS_NE_TOTAL declared=3168.00 items=3138.00 diff=30.00</code>" in shown
    assert "заявлено 3\xa0168,00, а статті видатків разом дають 3\xa0138,00: різниця 30,00." in shown
    assert "У плані робіт місяць 5 стоїть перед місяцем 4–12." in shown
    client.cookies["language"] = "en"
    signed.post(reverse("procurement:application_submit", args=[bid.pk]))
    bid.refresh_from_db()
    assert bid.status == "draft"
    assert signed.get(reverse("procurement:application_edit", args=[bid.pk])).status_code == 200
    signed.post(
        reverse("procurement:application_edit", args=[bid.pk]),
        application_input("993.45") | {"sources-5-kind": "grant", "sources-TOTAL_FORMS": 6, "sources-4-kind": "grant"},
    )
    for code in ANNEXES:
        file = SimpleUploadedFile(f"{code}.pdf", code.encode(), "application/pdf")
        signed.post(reverse("procurement:application_attach", args=[bid.pk, code]), {"file": file})
    signed.post(reverse("procurement:application_submit", args=[bid.pk]))
    bid.refresh_from_db()
    assert bid.status == "submitted"
    assert bid.declared_total.amount == Decimal(3168000)
    assert page(client, road.cast["bohdan"], "bid", bid.pk) == 404


def test_plan_of_needs(client: Client, road: Road) -> None:
    assert road.law
    signed = sign_in(client, road.cast["bohdan"])
    values = {"year": "2025", "population_urban": "20000", "population_rural": "6000", "rationale": "потреби"}
    signed.post(reverse("procurement:plan_new"), values)
    plan = ProcurementPlan.objects.get()
    need = {
        "title": "Догляд",
        "way": "social_order",
        "recipients_planned": "10",
        "units_planned": "100",
        "budget_line": road.line.pk,
        "value": "1000",
    }
    signed.post(reverse("procurement:plan_item_new", args=[plan.pk]), need)
    signed.post(reverse("procurement:plan_approve", args=[plan.pk]))
    plan.refresh_from_db()
    assert plan.approved_at is not None and plan.items.count() == 1
    assert page(client, road.cast["bohdan"], "plan", plan.pk) == 200
    assert page(client, road.cast["sofiia"], "plan", plan.pk) == 403


def found_rows(client: Client, user: User, name: str, q: str) -> int:
    answer = sign_in(client, user).get(reverse(f"procurement:{name}"), {"q": q})
    return int(answer.context["page"].paginator.count)


def test_plans_and_bids_are_searched(client: Client, road: Road, running: Tender) -> None:
    plan = ProcurementPlan.objects.create(organisation=road.organisation, year=2027)
    plan.items.create(number=1, title="Догляд удома", way="register", budget_line=road.line, value=1000)
    plans = [found_rows(client, road.cast["bohdan"], "plans", q) for q in ("2027", "удома", "немає такого")]
    road.bid(running, "A")
    bids = [found_rows(client, road.cast["nadiia"], "bids", q) for q in (running.number, "немає такого")]
    assert (plans, bids) == ([1, 1, 0], [1, 0])


@pytest.mark.parametrize("username", ["bohdan", "nadiia", "chair"])
def test_list_costs_the_same_with_more_rows(client: Client, road: Road, running: Tender, username: str) -> None:
    def grow() -> None:
        for _number in range(3):
            road.publish(road.draft_order())

    assert_same_queries(sign_in(client, road.cast[username]), reverse("procurement:competitions"), grow)


def test_competition_page_costs_the_same_with_more_bids(client: Client, road: Road, running: Tender) -> None:
    road.bid(running, "A")

    def grow() -> None:
        road.bid(running, "B")
        road.bid(running, "C")

    url = reverse("procurement:competition", args=[running.pk])
    assert_same_queries(sign_in(client, road.cast["bohdan"]), url, grow)


def test_results_are_shown_with_their_rows(client: Client, road: Road) -> None:
    tender, offered = road.scored_order()
    evaluation.evaluate_tender(tender=tender, actor=road.actor("bohdan"), at=SCORED)
    awards.award_tender(tender=tender, reason="бали", actor=road.actor("bohdan"), at=SCORED)
    client.cookies["language"] = "en"
    signed = sign_in(client, road.cast["mariia"])
    shown = signed.get(reverse("procurement:competition", args=[tender.pk])).content.decode()
    assert "91.71" in shown and "85.50" in shown and "PRC-REJ-6" in shown
    result = signed.get(reverse("procurement:bid", args=[offered["A"].pk])).content.decode()
    assert "27.71" in result and "30.00 × 78.5000 / 85.0000" in result
    assert Score.objects.filter(locked_at=None).count() == 0


def test_marks_are_shown_with_their_versions_to_the_office_after_the_results(client: Client, road: Road) -> None:
    tender, offered = road.scored_order()
    at(road.organisation, SCORED)
    change = {"bid": offered["A"], "marks": {"staff": Decimal("3.25")}, "reason": "описка в акті"}
    evaluation.score_bid(actor=road.actor("member2"), at=SCORED, **change)  # type: ignore[arg-type]
    url = reverse("procurement:bid", args=[offered["A"].pk])

    def seen(name: str) -> bool:
        shown = sign_in(client, road.cast[name]).get(url).content.decode()
        assert ("описка в акті" in shown) == ("3,25" in shown)
        return "описка в акті" in shown

    assert not any(map(seen, ("bohdan", "mariia", "chair", "nadiia"))), "no result yet"
    evaluation.evaluate_tender(tender=tender, actor=road.actor("bohdan"), at=SCORED)
    assert [seen(name) for name in ("bohdan", "mariia", "chair", "nadiia")] == [True, True, False, False]
    awards.award_tender(tender=tender, reason="бали", actor=road.actor("bohdan"), at=SCORED)
    assert [seen(name) for name in ("bohdan", "mariia", "chair", "nadiia")] == [True, True, True, False]


def test_competition_is_cancelled_in_the_browser_by_the_officer_alone(
    client: Client, road: Road, running: Tender
) -> None:
    road.bid(running, "A")
    client.cookies["language"] = "en"
    url = reverse("procurement:competition_cancel", args=[running.pk])
    for name in ("oksana", "chair", "nadiia", "mariia", "outsider"):
        assert sign_in(client, road.cast[name]).post(url, {"reason": "x"}).status_code == 403
    officer = sign_in(client, road.cast["bohdan"])
    competition = reverse("procurement:competition", args=[running.pk])
    assert url in officer.get(competition).content.decode() and officer.get(url).status_code == 200
    refused = officer.post(url, {"reason": "немає коштів"})
    assert refused.status_code == 200 and "немає коштів" in refused.content.decode()
    document = SimpleUploadedFile("d.pdf", b"decision", "application/pdf")
    assert officer.post(url, {"reason": "немає коштів", "document": document}).status_code == 302
    running.refresh_from_db()
    assert running.status == "cancelled"
    assert url not in officer.get(competition).content.decode()
    bidder = sign_in(client, road.cast["nadiia"])
    shown = bidder.get(competition).content.decode()
    assert "немає коштів" in shown and "d.pdf" in shown
    file = bidder.get(competition).context["decisions"][0]
    link = reverse("procurement:competition_decision", args=[running.pk, file.pk])
    assert bidder.get(link).content == b"decision"
    assert sign_in(client, road.cast["outsider"]).get(link).status_code == 403


def test_competition_without_bids_is_closed_in_the_browser(client: Client, road: Road, running: Tender) -> None:
    url = reverse("procurement:competition_unsuccessful", args=[running.pk])
    competition = reverse("procurement:competition", args=[running.pk])
    officer = sign_in(client, road.cast["bohdan"])
    assert url not in officer.get(competition).content.decode()
    values = {"reason": "немає заявок", "document": SimpleUploadedFile("d.pdf", b"d")}
    early = officer.post(url, values)
    assert early.status_code == 409 and "немає заявок" in early.content.decode()
    at(road.organisation, OPENING)
    assert url in officer.get(competition).content.decode()
    officer.post(url, values | {"document": SimpleUploadedFile("d.pdf", b"d")})
    running.refresh_from_db()
    assert running.status == "unsuccessful"


def test_bidder_is_warned_of_a_price_above_the_norm_before_sealing(client: Client, road: Road, running: Tender) -> None:
    client.cookies["language"] = "en"
    url = reverse("procurement:bid_new", args=[running.pk])
    signed = sign_in(client, road.cast["nadiia"])
    dear = signed.post(url, {"unit_price": "101,00", "recipients": "1 200", "note": "є досвід"})
    shown = dear.content.decode()
    assert dear.status_code == 200 and "PRC-REJ-6" in shown and "96.54" in shown and "101.00" in shown
    assert not Bid.objects.exists()
    fair = signed.post(url, {"unit_price": "96,54", "recipients": "1", "note": ""}).content.decode()
    assert "PRC-REJ-6" not in fair and "file_statute" in fair and "others" in fair
    back = signed.post(url, {"unit_price": "101,00", "recipients": "1", "note": "", "back": "1"}).content.decode()
    assert 'value="101,00"' in back and "file_statute" not in back
    signed.post(url, {"unit_price": "101,00", "recipients": "1200", "note": "", "seal": "1"})
    bid = Bid.objects.get()
    assert bid.status == "submitted", "warned, not blocked"


def test_files_of_a_bid_are_sealed_then_listed_with_their_hash(client: Client, road: Road, running: Tender) -> None:
    client.cookies["language"] = "en"
    files = {
        "file_statute": SimpleUploadedFile("s.pdf", b"statute", "application/pdf"),
        "others": [SimpleUploadedFile("one.pdf", b"one"), SimpleUploadedFile("two.pdf", b"two")],
    }
    signed = sign_in(client, road.cast["nadiia"])
    signed.post(
        reverse("procurement:bid_new", args=[running.pk]),
        {"unit_price": "85,00", "recipients": "120", "note": "", "seal": "1", **files},
    )
    bid = Bid.objects.get()
    digest = sha256(b"two").hexdigest()
    url = reverse("procurement:bid", args=[bid.pk])
    own = signed.get(url).content.decode()
    assert "two.pdf" in own and digest in own and sha256(b"statute").hexdigest() in own
    assert not attachments_of(bid).exists(), "inside the seal"
    assert page(client, road.cast["bohdan"], "bid", bid.pk) == 404
    at(road.organisation, OPENING)
    officer = sign_in(client, road.cast["bohdan"])
    officer.post(reverse("procurement:competition_open", args=[running.pk]))
    opened = officer.get(url).content.decode()
    assert all(name in opened for name in ("s.pdf", "one.pdf", "two.pdf")) and digest in opened
    file = attachments_of(bid).get(name="two.pdf")
    link = reverse("procurement:bid_file", args=[bid.pk, file.pk])
    assert officer.get(link).content == b"two"
    assert sign_in(client, road.cast["taras"]).get(link).status_code == 404
    bid_documents = {row.code: row.present for row in bid.documents.all()}
    assert bid_documents == {"statute": True, "other_1": True, "other_2": True}


def test_application_takes_documents_nobody_asked_for(client: Client, road: Road) -> None:
    road.provider("A", "nadiia")
    tender = road.publish(road.draft_contest())
    at(road.organisation, PUBLISHED + timedelta(days=10))
    signed = sign_in(client, road.cast["nadiia"])
    signed.post(reverse("procurement:application_new", args=[tender.pk]), application_input("993.45"))
    bid = Bid.objects.get()
    url = reverse("procurement:application_attach", args=[bid.pk, "other"])
    assert signed.post(url, {}).status_code == 200
    for name in ("лист.pdf", "фото.jpg"):
        assert signed.post(url, {"file": SimpleUploadedFile(name, name.encode())}).status_code == 302
    shown = signed.get(reverse("procurement:bid", args=[bid.pk])).content.decode()
    assert "лист.pdf" in shown and sha256("фото.jpg".encode()).hexdigest() in shown
    unknown = reverse("procurement:application_attach", args=[bid.pk, "nobody"])
    assert signed.post(unknown, {"file": SimpleUploadedFile("x", b"x")}).status_code == 409


def typed(bid: Bid, **marks: str) -> dict[str, str]:
    """Marks of a bid as the sheet sends them."""
    return {f"bid{bid.pk}-mark_{code}": mark for code, mark in marks.items()}


@pytest.mark.parametrize("mark", ["6", "-1", "п'ять", "NaN", "1e9", ""])
def test_wrong_marks_come_back_on_the_sheet_with_what_was_typed(client: Client, road: Road, mark: str) -> None:
    tender, offered = road.scored_order()
    Score.objects.all().update(locked_at=None)
    at(road.organisation, SCORED)
    url = reverse("procurement:scoring", args=[tender.pk])
    marks = typed(offered["A"], compliance=mark, finance="3,5", experience="5", staff="4")
    marks |= typed(offered["B"], compliance="1,5", finance="5", experience="5", staff="4")
    answer = sign_in(client, road.cast["chair"]).post(url, marks)
    shown = answer.content.decode()
    assert answer.status_code == 200 and 'value="3,5"' in shown and "is-invalid" in shown
    assert 'value="1,5"' in shown, "what was typed for another bid stays too"
    assert not Score.objects.filter(value__in=[Decimal("3.5"), Decimal("1.5")]).exists()


def test_sheet_keeps_what_was_typed_and_is_locked_when_complete(client: Client, road: Road) -> None:
    tender, offered = road.scored_order()
    Score.objects.filter(member__user=road.cast["chair"]).delete()
    at(road.organisation, SCORED)
    url, signed = reverse("procurement:scoring", args=[tender.pk]), sign_in(client, road.cast["chair"])
    first = typed(offered["A"], compliance="4", finance="4", experience="4", staff="")
    first |= typed(offered["B"], compliance="3", finance="", experience="", staff="")
    assert signed.post(url, first).status_code == 302
    own = Score.objects.filter(member__user=road.cast["chair"])
    assert sorted(own.values_list("bid", "value")) == sorted(
        [*[(offered["A"].pk, Decimal(4))] * 3, (offered["B"].pk, Decimal(3))]
    )
    assert 'name="lock"' not in signed.get(url).content.decode(), "four marks are missing"
    assert signed.post(url, first | {"lock": "1"}).status_code == 409
    assert not own.filter(locked_at__isnull=False).exists()
    rest = typed(offered["A"], compliance="4", finance="4", experience="4", staff="2")
    rest |= typed(offered["B"], compliance="3", finance="3", experience="3", staff="3")
    signed.post(url, rest)
    assert 'name="lock"' in signed.get(url).content.decode()
    last = rest | typed(offered["B"], staff="2") | {"lock": "1"}
    assert signed.post(url, last).status_code == 302
    assert own.filter(bid=offered["B"], value=2).count() == 1
    assert not own.filter(locked_at__isnull=False).exists(), "what was just changed is looked at once more"
    assert signed.post(url, last).status_code == 302
    assert own.filter(locked_at__isnull=False).count() == 8
    assert 'name="lock"' not in signed.get(url).content.decode()


def test_locked_mark_changes_with_a_reason_asked_beside_it(client: Client, road: Road) -> None:
    tender, offered = road.scored_order()
    at(road.organisation, SCORED)
    url, signed = reverse("procurement:scoring", args=[tender.pk]), sign_in(client, road.cast["chair"])
    own = Score.objects.filter(member__user=road.cast["chair"])
    kept = {f"bid{row.bid_id}-mark_{row.criterion.code}": str(row.value) for row in own}
    change = kept | typed(offered["A"], staff="1.25")
    shown = signed.post(url, change)
    assert shown.status_code == 200 and "is-invalid" in shown.content.decode()
    assert not own.filter(version=2).exists()
    assert signed.post(url, change | {f"bid{offered['A'].pk}-reason": "описка"}).status_code == 302
    assert [(row.bid, row.value, row.reason) for row in own.filter(version=2)] == [
        (offered["A"], Decimal("1.25"), "описка")
    ]


def test_sheet_says_what_is_missing_and_asks_for_no_second_lock(client: Client, road: Road) -> None:
    tender, offered = road.scored_order()
    at(road.organisation, SCORED)
    client.cookies["language"] = "en"
    url, signed = reverse("procurement:scoring", args=[tender.pk]), sign_in(client, road.cast["chair"])

    def said(marks: dict[str, str]) -> str:
        return strip_tags(signed.post(url, marks, follow=True).content.decode())

    own = Score.objects.filter(member__user=road.cast["chair"])
    kept = {f"bid{row.bid_id}-mark_{row.criterion.code}": str(row.value) for row in own}
    assert "Nothing was changed." in said(kept)
    reason = {f"bid{offered['A'].pk}-reason": "описка"}
    told = said(kept | typed(offered["A"], staff="3") | reason)
    assert "Your changed mark is kept with its reason." in told and "Lock them" not in told
    assert "A mean of zero here excludes the bid" in told
    own.delete()
    assert "You gave no new mark. 8 marks are still missing." in said({})
    assert "Your marks are kept. 7 marks are still missing." in said(typed(offered["B"], staff="3"))
    assert "Lock them when every bid is judged" in said(kept)


def test_a_member_is_asked_why_a_mark_is_far_from_the_mean(client: Client, road: Road) -> None:
    tender, offered = road.scored_order()
    at(road.organisation, SCORED)
    client.cookies["language"] = "en"
    own = Score.objects.get(bid=offered["A"], criterion__code="staff", member__user=road.cast["member2"])
    Score.objects.filter(pk=own.pk).update(value=0)
    sheet, explain = (
        reverse("procurement:scoring", args=[tender.pk]),
        reverse("procurement:mark_explain", args=[own.pk]),
    )
    competition = reverse("procurement:competition", args=[tender.pk])
    told = {
        name: "the reason is not written yet" in sign_in(client, road.cast[name]).get(competition).content.decode()
        for name in ("chair", "bohdan", "mariia", "member2", "member3")
    }
    assert told == {"chair": True, "bohdan": True, "mariia": True, "member2": True, "member3": False}
    assert explain not in sign_in(client, road.cast["chair"]).get(sheet).content.decode()
    assert client.post(explain, {"reason": "x"}).status_code == 404
    signed = sign_in(client, road.cast["member2"])
    assert explain in signed.get(sheet).content.decode()
    assert "Write why your mark is right" in signed.post(explain, {"reason": " "}, follow=True).content.decode()
    assert "Your reason is kept" in signed.post(explain, {"reason": "без дипломів"}, follow=True).content.decode()
    assert explain not in signed.get(sheet).content.decode()
    assert "the reason is not written yet" not in sign_in(client, road.cast["chair"]).get(competition).content.decode()


def test_the_closing_of_bids_is_offered_as_the_deadline_and_read_where_the_buyer_is(client: Client, road: Road) -> None:
    road.organisation.zone = "Asia/Almaty"
    road.organisation.save(update_fields=["zone"])
    tender = road.draft_order()
    road.appoint(tender)
    tender = competitions.approve_tender(tender=tender, actor=road.actor("oksana"), at=road.at)
    at(road.organisation, PUBLISHED)
    earliest = competitions.earliest_close(tender, PUBLISHED.date())
    signed = sign_in(client, road.cast["bohdan"])
    address = reverse("procurement:competition", args=[tender.pk])
    local = timezone.localtime(PUBLISHED, ZoneInfo("Asia/Almaty"))
    assert f'value="{earliest}T{local:%H:%M}"' in signed.get(address).content.decode()
    Parameter.objects.create(
        organisation=road.organisation,
        jurisdiction=road.organisation.jurisdiction,
        key="so.announce_to_close_days",
        value="50",
        valid_from=date(2025, 1, 1),
        recorded_at=road.at,
    )
    later = competitions.earliest_close(tender, PUBLISHED.date())
    assert later > earliest and f'value="{later}T{local:%H:%M}"' in signed.get(address).content.decode()
    answer = signed.post(
        reverse("procurement:competition_publish", args=[tender.pk]), {"bids_close_at": f"{later}T18:00"}
    )
    assert answer.status_code == 302
    tender.refresh_from_db()
    assert tender.bids_close_at == datetime.combine(later, time(18), ZoneInfo("Asia/Almaty"))
    assert timezone.get_current_timezone_name() == settings.TIME_ZONE, "the next reader has the own zone"
