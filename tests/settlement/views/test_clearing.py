"""Pages of clearing between municipalities: who reaches them, what a person of each side does there."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from config.accounts.models import Organisation, User
from contracts.models import ClearingAgreement, ProviderUser
from settlement.books import verify_books
from settlement.clearing_papers import statement_table
from settlement.models import ClaimLine, ClearingItem, ClearingRevision, ClearingStatement, Statement
from settlement.printed_tables import shown_table
from tests.settlement.actions.clearing_town import DECEMBER, Neighbours, bank_line, build_neighbours
from tests.signed_in import browser
from tests.vouchers.town import VISIT
from vouchers.models import Certificate, Redemption

pytestmark = pytest.mark.django_db


@pytest.fixture
def towns(organisation: Organisation, other_organisation: Organisation, cast: dict[str, User]) -> Neighbours:
    for office in (organisation, other_organisation):
        office.clock_offset = DECEMBER + timedelta(hours=1) - timezone.now()
        office.save()
    return build_neighbours(organisation, other_organisation, cast)


def client(name: str) -> Client:
    return browser(User.objects.get(username=name), "en")


def url(name: str, *args: object) -> str:
    return reverse(f"settlement:{name}", args=args)


def drawn(towns: Neighbours, visits: int = 2) -> ClearingStatement:
    towns.agree()
    for day in range(visits):
        towns.visit(starts_at=VISIT + timedelta(days=day), units="1")
    towns.claim()
    towns.judge()
    return towns.draw()


def test_administrators_offer_sign_and_end_an_agreement(towns: Neighbours) -> None:
    ours, theirs = client("admin.verbivka"), client("admin.kalynivka")
    new, page = reverse("contracts:clearing_agreement_new"), reverse("contracts:clearing_agreements")
    assert "There are no agreements." in ours.get(page).content.decode()
    terms = {
        "direction": "out", "other": towns.host.organisation.pk, "norm": "home", "valid_from": "2025-12-04",
        "last_day": "",
    }  # fmt: skip
    assert ours.post(new, terms | {"valid_from": "2025-11-04"}).status_code == 409
    assert ours.post(new, terms | {"direction": ""}).status_code == 200
    assert ours.post(new, terms).status_code == 302
    row = ClearingAgreement.objects.get()
    assert (row.home, row.host, row.norm, row.signed) == (
        towns.home.organisation, towns.host.organisation, "home", False,
    )  # fmt: skip
    signing, ending = (reverse(f"contracts:clearing_agreement_{name}", args=[row.pk]) for name in ("sign", "end"))
    assert signing not in ours.get(page).content.decode() and signing in theirs.get(page).content.decode()
    assert client("maker.kalynivka").post(signing).status_code == 403
    theirs.post(signing)
    row.refresh_from_db()
    assert row.signed and theirs.get(ending).status_code == 200
    theirs.post(ending, {"last_day": "2025-12-31"})
    row.refresh_from_db()
    assert row.last_day == date(2025, 12, 31) and "31" in ours.get(page).content.decode()


def test_two_sides_agree_dispute_and_book_the_payment(towns: Neighbours) -> None:
    statement = drawn(towns)
    line = statement.lines.order_by("pk").first()
    assert line is not None
    home, host = client("checker.verbivka"), client("checker.kalynivka")
    page, agree = url("clearing_statement", statement.pk), url("clearing_agree", statement.pk)
    dispute, answer = (url(name, statement.pk, line.pk) for name in ("clearing_dispute", "clearing_answer"))
    assert dispute in home.get(page).content.decode() and dispute not in host.get(page).content.decode()
    host.post(agree)
    assert home.post(dispute, {"reason": ""}).status_code == 200
    assert f"{line.item.claim.number}, № {line.item.claim_line.line}: Сусіди" in home.get(dispute).content.decode()
    home.post(dispute, {"reason": "Візиту не було"})
    shown = host.get(page).content.decode()
    assert "Візиту не було" in shown and "Give the line up" in shown and agree in shown
    host.post(answer)
    assert "given up" in home.get(page).content.decode()
    home.post(agree)
    host.post(agree)
    statement.refresh_from_db()
    due = abs(statement.net_minor)
    assert statement.status == "agreed" and due == ClearingItem.objects.exclude(lines=line).get().due_minor
    for side, sign, name in ((towns.home, -1, "verbivka"), (towns.host, 1, "kalynivka")):
        who, pay = client(f"maker.{name}"), url("clearing_pay", statement.pk)
        assert "No open bank record of this sum" in who.get(page).content.decode()
        row = bank_line(side.organisation, sign * due)
        assert f'name="line" value="{row.pk}"' in who.get(page).content.decode()
        who.post(pay, {"line": "x"})
        who.post(pay, {"line": row.pk})
    statement.refresh_from_db()
    assert statement.status == "settled" and not verify_books()
    took = statement.payments.get(organisation=towns.home.organisation)
    undo, row_page = url("clearing_undo", took.pk), url("statement_line", took.statement_line_id)
    maker = client("maker.verbivka")
    assert undo in maker.get(row_page).content.decode()
    assert (
        client("maker.kalynivka").get(undo).status_code == 404 and client("admin.verbivka").get(undo).status_code == 403
    )
    assert maker.post(undo, {"reason": ""}).status_code == 200
    maker.post(undo, {"reason": "Інший платіж"})
    statement.refresh_from_db()
    assert statement.status == "agreed" and undo not in maker.get(row_page).content.decode()
    maker.post(url("clearing_pay", statement.pk), {"line": took.statement_line_id})
    statement.refresh_from_db()
    assert statement.status == "settled" and not verify_books()
    assert home.get(url("clearing_paper", statement.pk, "pdf")).content.startswith(b"%PDF")
    assert host.get(url("clearing_paper", statement.pk, "xlsx")).status_code == 200


def test_what_is_disputed_is_told_on_the_paper_and_two_debts_are_not_added_up(towns: Neighbours) -> None:
    towns.agree()
    for day in range(2):
        towns.visit(starts_at=VISIT + timedelta(days=day))
    towns.claim()
    towns.judge()
    statement = towns.draw()
    line = statement.lines.order_by("pk").first()
    assert line is not None
    before = shown_table(statement_table(statement, towns.home.organisation))
    client("checker.verbivka").post(url("clearing_dispute", statement.pk, line.pk), {"reason": "Візиту не було"})
    after = shown_table(statement_table(statement, towns.home.organisation))
    assert before["totals"] is None and after["totals"] is None
    assert [len(section["rows"]) for section in before["sections"] + after["sections"]] == [2, 1]
    told = [len(table["table"].facts) for table in (before, after)]
    assert told[1] == told[0] + 1


def test_a_bank_statement_whose_only_line_is_booked_is_reconciled(towns: Neighbours) -> None:
    towns.agree()
    statement = towns.agreed()
    row = bank_line(towns.home.organisation, -abs(statement.net_minor))
    client("maker.verbivka").post(url("clearing_pay", statement.pk), {"line": row.pk})
    assert Statement.objects.get().status == "reconciled"


def test_a_statement_waits_on_the_home_page_of_who_signs_until_it_is_signed(towns: Neighbours) -> None:
    statement = drawn(towns)

    def waiting(name: str) -> int:
        cards = client(name).get("/").context["cards"]
        return sum(card.count for card in cards if str(card.what) == "Clearing statements to sign")

    assert [waiting(name) for name in ("checker.verbivka", "checker.kalynivka")] == [1, 1]
    towns.sign(statement, towns.home)
    assert [waiting(name) for name in ("checker.verbivka", "checker.kalynivka")] == [0, 1]


def test_a_maker_draws_up_a_statement_once(towns: Neighbours) -> None:
    who = client("maker.verbivka")
    assert "There are no clearing statements." in who.get(url("clearing")).content.decode()
    form = {"other": towns.host.organisation.pk, "month": "2025-11"}
    assert who.post(url("clearing_new"), form).status_code == 200  # no agreement, no neighbour to choose
    towns.agree()
    refused = who.post(url("clearing_new"), form)
    assert refused.status_code == 409 and "Neither side owes" in refused.content.decode()
    towns.visit()
    towns.claim()
    towns.judge()
    made = who.post(url("clearing_new"), form)
    assert made["Location"] == url("clearing_statement", ClearingStatement.objects.get().pk)
    assert who.post(url("clearing_new"), form)["Location"] == made["Location"]
    assert "CS-verbivka-kalynivka-2025-11" in who.get(url("clearing"), {"q": "калин"}).content.decode()


@pytest.mark.parametrize(
    ("name", "status"),
    [("checker.verbivka", 200), ("mariia", 200), ("bohdan", 403), ("nadiia", 403), ("outsider", 403)],
)
def test_who_reads_statements(towns: Neighbours, name: str, status: int) -> None:
    statement = drawn(towns, 1)
    for address in (url("clearing"), url("clearing_statement", statement.pk)):
        assert client(name).get(address).status_code == status


def test_a_third_municipality_knows_nothing(towns: Neighbours) -> None:
    statement = drawn(towns, 1)
    third = Organisation.objects.create(code="tretia", name="Третя")
    member = User.objects.get(username="checker.kalynivka")
    member.memberships.update(organisation=third)
    assert client("checker.kalynivka").get(url("clearing_statement", statement.pk)).status_code == 404
    client("checker.kalynivka").post(url("clearing_agree", statement.pk))
    statement.refresh_from_db()
    assert statement.second_signed_by is None and statement.first_signed_by is None


def test_queries_do_not_grow_with_lines(towns: Neighbours) -> None:
    statement = drawn(towns, 6)
    who, counts = client("checker.verbivka"), []
    who.get(url("clearing_statement", statement.pk))
    for keep in (6, 2):
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("DELETE FROM settlement_clearingline WHERE id IN (SELECT id FROM settlement_clearingline "
                           "ORDER BY id OFFSET %s)", [keep])  # fmt: skip
            cursor.execute("SET session_replication_role = DEFAULT")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            who.get(url("clearing_statement", statement.pk))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_road_of_the_money_crosses_to_the_neighbour(towns: Neighbours) -> None:
    statement = drawn(towns, 1)
    line, home = ClaimLine.objects.get(), towns.issued.certificate
    due = ClearingItem.objects.get().due_minor
    host_road = client("maker.kalynivka").get(reverse("money", args=["claim_line", line.pk]), {"format": "json"}).json()
    assert [row["statement"] for row in host_road["clearing"]] == [statement.number] and host_road["agrees"] is False
    budget = next(level for level in host_road["levels"] if level["key"] == "budget")
    assert [node["label"] for node in budget["nodes"]] == [f"contracts.budgetline:{home.budget_line_id}"]
    assert budget["off"] == 0
    for start, pk in (("budget_line", home.budget_line_id), ("certificate", home.pk)):
        page = client("maker.verbivka").get(reverse("money", args=[start, pk]))
        assert page.status_code == 200 and statement.number in page.content.decode()
        road = client("maker.verbivka").get(reverse("money", args=[start, pk]), {"format": "json"}).json()
        assert [(row["due"], row["host"]) for row in road["clearing"]] == [(due, "Калинівська громада")]
    shown = client("maker.kalynivka").get(url("claim_line", line.pk)).content.decode()
    assert statement.number in shown and "Вербівська громада" in shown


def test_the_host_works_refunds_out_anew_and_both_follow_the_difference(towns: Neighbours) -> None:
    towns.agree(norm="home")
    towns.agreed()
    agreement = ClearingAgreement.objects.get()
    page, anew = url("clearing_refunds", agreement.pk), url("clearing_refunds_anew", agreement.pk)
    host, home = client("maker.kalynivka"), client("maker.verbivka")
    assert page not in host.get(url("clearing")).content.decode()
    assert anew not in host.get(page).content.decode()
    norm = towns.put_right("97.00", at=DECEMBER)
    assert page in host.get(url("clearing")).content.decode() and page not in home.get(url("clearing")).content.decode()
    assert anew in host.get(page).content.decode() and anew not in home.get(page).content.decode()
    shown = browser(norm.author, "en").get(reverse("contracts:norm", args=[norm.pk])).content.decode()
    assert "Refunded to other municipalities for these days" in shown and "Калинівська громада" in shown
    assert "were told" in shown and page in client("maker.kalynivka").get("/notices/").content.decode()
    assert client("checker.kalynivka").post(anew).status_code == 403
    home.post(anew)
    assert not ClearingRevision.objects.exists()
    host.post(anew)
    made = ClearingRevision.objects.get()
    document, item = url("clearing_revision", made.pk), made.items.get()
    assert page not in host.get(url("clearing")).content.decode() and item.due_minor == 92
    for who in (host, home):
        assert document in who.get(page).content.decode()
        assert "no statement yet" in who.get(document).content.decode()
    statement = towns.draw(month=date(2025, 12, 1))
    lines = host.get(url("clearing_statement", statement.pk)).content.decode()
    assert document in lines and statement.number in home.get(document).content.decode()
    assert made.number in str(shown_table(statement_table(statement, towns.home.organisation)))
    third = Organisation.objects.create(code="tretia", name="Третя")
    User.objects.get(username="maker.kalynivka").memberships.update(organisation=third)
    stranger = client("maker.kalynivka")
    assert [stranger.get(address).status_code for address in (page, document)] == [404, 404] and not verify_books()


def test_a_guest_is_served_by_the_page_at_the_door(towns: Neighbours) -> None:
    towns.agree()
    ProviderUser.objects.create(provider=towns.host.provider, user=User.objects.get(username="taras"))
    door, page = client("taras"), reverse("vouchers:redeem")
    form = door.post(page, {"certificate_key": towns.issued.short_code}).context["form"]
    assert [code for code, _name in form.fields["worker_code"].choices] == [towns.host.worker.code]
    wishes = {"pin": towns.issued.pin, "service_code": "015.1", "worker_code": towns.host.worker.code, "units": "1"}
    answer = door.post(page, form.initial | wishes | {"starts_at": "2025-12-03T09:00"})
    made = Redemption.objects.get()
    assert answer.status_code == 302 and made.organisation == towns.host.organisation


def test_a_guests_certificate_says_whose_it_is_and_offers_no_change(towns: Neighbours) -> None:
    drawn(towns, 1)
    guest = Certificate.objects.exclude(home=None).get()
    page = client("checker.kalynivka").get(reverse("vouchers:certificate", args=[guest.pk])).content.decode()
    assert "Вербівська громада: units are taken from its certificate" in page
