"""Pages of vouchers: who sees what, and what happens on them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone, translation

from config.accounts.access import Access
from config.accounts.models import Membership, Organisation, User
from config.audit.models import AuditEvent
from config.pages.waiting_rows import without_certificate
from contracts.models import Service
from tests.vouchers.actions.test_redemptions import authorise, confirm
from tests.vouchers.town import NOVEMBER_1, OCTOBER, VISIT, Town
from vouchers.actions.assessments import assess_needs
from vouchers.actions.certificates import IssuedCertificate
from vouchers.actions.plans import PlannedVolume, approve_plan
from vouchers.actions.recipients import record_absence
from vouchers.models import Certificate, FeeAssessment, Recipient, Redemption
from vouchers.views.recipients import SPECIAL, SPECIAL_IN_TABLES


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def town(town: Town) -> Town:
    """The town whose pages live at the moment of the visit."""
    Organisation.objects.filter(pk=town.organisation.pk).update(clock_offset=VISIT - timezone.now())
    return town


@pytest.fixture
def issued(town: Town) -> IssuedCertificate:
    """A certificate."""
    return town.issue(full_name="Вигадана Олена Іванівна", phone="+380001112233", free_category="VIOLENCE")


def sign_in(user: User) -> Client:
    """A signed-in browser that reads English."""
    client = Client(headers={"accept-language": "en"})
    client.cookies["language"] = "en"
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


PAGES = [
    "/vouchers/recipients/",
    "/vouchers/recipients/new/",
    "/vouchers/recipients/{recipient}/",
    "/vouchers/recipients/{recipient}/needs/",
    "/vouchers/recipients/{recipient}/fee/",
    "/vouchers/recipients/{recipient}/plan/",
    "/vouchers/recipients/{recipient}/absence/",
    "/vouchers/recipients/{recipient}/move/",
    "/vouchers/recipients/{recipient}/death/",
    "/vouchers/recipients/{recipient}/certificate/",
    "/vouchers/certificates/",
    "/vouchers/certificates/{certificate}/",
    "/vouchers/certificates/{certificate}/print/",
    "/vouchers/mine/",
    "/vouchers/redeem/",
    "/vouchers/redemptions/",
    "/vouchers/redemptions/{redemption}/",
    "/vouchers/visits/import/",
]


def _fill(page: str, issued: IssuedCertificate, redemption: Redemption) -> str:
    certificate = issued.certificate
    return page.format(recipient=certificate.recipient_id, certificate=certificate.pk, redemption=redemption.pk)


@pytest.mark.parametrize("page", PAGES)
def test_an_outsider_sees_nothing(town: Town, issued: IssuedCertificate, outsider: User, page: str) -> None:
    address = _fill(page, issued, authorise(town, issued))
    assert sign_in(outsider).get(address).status_code == 403
    assert Client().get(address).status_code == 302


OFFICE_PAGES = [page for page in PAGES if "mine" not in page and "redeem/" not in page and "visits" not in page]


@pytest.mark.parametrize("page", OFFICE_PAGES)
def test_another_organisations_people_are_invisible(
    town: Town, issued: IssuedCertificate, other_organisation: Organisation, page: str
) -> None:
    redemption = authorise(town, issued)
    stranger = User.objects.create(username="stranger")
    Membership.objects.create(user=stranger, role="case_worker", organisation=other_organisation)
    answer = sign_in(stranger).get(_fill(page, issued, redemption))
    if "{" in page:
        assert answer.status_code == 404
    for secret in (issued.certificate.recipient.code, issued.certificate.number, redemption.code):
        assert secret.encode() not in answer.content


@pytest.mark.parametrize("page", OFFICE_PAGES)
def test_the_case_worker_opens_every_page(
    town: Town, issued: IssuedCertificate, cast: dict[str, User], page: str
) -> None:
    answer = sign_in(cast["sofiia"]).get(_fill(page, issued, authorise(town, issued)))
    assert answer.status_code == 200
    assert answer.content[:5] == b"%PDF-" or b"<h1>" in answer.content


def test_lists_mask_names_and_search_exactly(town: Town, issued: IssuedCertificate, cast: dict[str, User]) -> None:
    client = sign_in(cast["sofiia"])
    page = client.get("/vouchers/recipients/").content.decode()
    assert "Виг… О. І." in page and "Олена" not in page
    for q, found in (("вигадана олена іванівна", True), ("вигадана", False), ("r-2025", True), ("zzz", False)):
        content = client.get("/vouchers/recipients/", {"q": q}).content.decode()
        assert (issued.certificate.recipient.code in content) is found, q


def test_a_list_takes_the_same_queries_for_more_rows(
    town: Town, issued: IssuedCertificate, cast: dict[str, User], django_assert_max_num_queries
) -> None:  # type: ignore[no-untyped-def]
    for number in range(12):
        town.issue(full_name=f"Особа {number}")
    for _index, redemption_key in enumerate("abcdef"):
        authorise(town, issued, key=redemption_key, units="0.25")
    sofiia, nadiia = sign_in(cast["sofiia"]), sign_in(cast["nadiia"])
    for client, address in (
        (sofiia, "/vouchers/recipients/"),
        (sofiia, "/vouchers/certificates/"),
        (sofiia, f"/vouchers/certificates/{issued.certificate.pk}/"),
        (nadiia, "/vouchers/redemptions/"),
    ):
        with django_assert_max_num_queries(14):
            assert client.get(address).status_code == 200


def test_what_tells_of_health_is_shown_on_demand_and_each_reading_recorded(
    town: Town, issued: IssuedCertificate, cast: dict[str, User]
) -> None:
    recipient = issued.certificate.recipient
    common = {"actor": town.case_worker, "at": VISIT}
    record_absence(recipient=recipient, kind="hospital", from_date=VISIT.date(), last_day=None, **common)
    recipient.assessments.update(dependency_level="LEVEL-IV")
    recipient.residences.get().change(at=VISIT, recipient_class="BEDRIDDEN")
    recipient.fee_assessments.get().change(at=VISIT, formula_id="PAY-UA-3/crisis")
    telling = ("hospital", "LEVEL-IV", "BEDRIDDEN", "PAY-UA-3/crisis", "How it was computed")
    address = f"/vouchers/recipients/{recipient.pk}/"
    sofiia, readings = sign_in(cast["sofiia"]), AuditEvent.objects.filter(action="recipient.special_read")
    for client in (sofiia, sign_in(cast["mariia"])):
        page = client.get(address).content.decode()
        assert [word for word in telling if word in page] == []
        assert "not shown" in page
    assert readings.count() == 0
    for times in (1, 2):
        page = sofiia.post(address + "special/").content.decode()
        assert [word for word in telling if word not in page] == [] and "not shown" not in page
        assert readings.count() == times
    assert "kind" not in AuditEvent.objects.get(action="absence.recorded").data


def test_an_auditor_sees_how_a_fee_was_computed_and_nothing_beside_it(
    town: Town, issued: IssuedCertificate, cast: dict[str, User]
) -> None:
    recipient = issued.certificate.recipient
    address = f"/vouchers/recipients/{recipient.pk}/"
    mariia, readings = sign_in(cast["mariia"]), AuditEvent.objects.filter(action="recipient.special_read")
    assert address + "fee-steps/" in mariia.get(address).content.decode() and readings.count() == 0
    page = mariia.post(address + "fee-steps/").content.decode()
    assert "How it was computed" in page and recipient.fee_assessments.get().formula_id in page
    assert "VIOLENCE" not in page and "+380001112233" not in page
    assert [event.data["fields"] for event in readings] == [["fee_steps"]]
    assert sign_in(cast["halyna"]).post(address + "fee-steps/").status_code == 403


def test_special_fields_are_shown_on_demand_and_recorded(
    town: Town, issued: IssuedCertificate, cast: dict[str, User]
) -> None:
    recipient = issued.certificate.recipient
    client, address = sign_in(cast["sofiia"]), f"/vouchers/recipients/{issued.certificate.recipient_id}/"
    assert "VIOLENCE" not in client.get(address).content.decode()
    assert AuditEvent.objects.filter(action="recipient.special_read").count() == 0
    shown = client.post(address + "special/").content.decode()
    assert "VIOLENCE" in shown and "+380001112233" in shown
    assert AuditEvent.objects.filter(action="recipient.special_read", actor="sofiia").count() == 1
    assert AuditEvent.objects.get(action="recipient.special_read").data["fields"] == [*SPECIAL, *SPECIAL_IN_TABLES]
    auditor = sign_in(cast["mariia"])
    assert auditor.post(address + "special/").status_code == 403
    page = auditor.get(address).content.decode()
    assert recipient.code in page and "Олена" not in page and "+380001112233" not in page


def test_register_assess_decide_plan_and_issue_by_forms(town: Town, cast: dict[str, User]) -> None:
    client = sign_in(cast["sofiia"])
    form = {"full_name": "Нова Особа", "birth_date": "1950-01-01", "territory": town.territory.pk}
    client.post("/vouchers/recipients/new/", form)
    recipient = Recipient.objects.get()
    base = f"/vouchers/recipients/{recipient.pk}/"
    empty = {"assessed_on": "2025-11-05", "findings": ""}
    assert set(client.post(base + "needs/", empty).context["form"].errors) == {"dependency_level"}
    assert client.post(base + "needs/", empty | {"dependency_level": "II"}).status_code == 302
    fee = {"application_date": "2025-11-10", "valid_from": "2025-11-01", "lost_ability": "on", "income": "18000.00"}
    preview = client.post(base + "fee/", {**fee, "calculate": "1"})
    assert preview.status_code == 200 and not FeeAssessment.objects.exists()
    assert "1,278.00" in preview.content.decode() and "01.07.2025" in preview.content.decode()
    client.post(base + "fee/", {**fee, "decide": "1"})
    assert FeeAssessment.objects.get().mode == "D"
    plan = {"valid_from": "2025-11-01", "service1": town.service.pk, "units1": "20"}
    assert client.post(base + "plan/", plan).status_code == 302
    issue = {"first_day": "2025-11-01", "budget_line": town.budget_line.pk}
    told = client.post(base + "certificate/", issue)
    certificate = Certificate.objects.get()
    assert certificate.number in told.content.decode() and told["Cache-Control"] == "no-store, private"
    again = client.post(base + "certificate/", issue)
    assert again.status_code == 200 and certificate.number in again.content.decode()
    assert Certificate.objects.count() == 1
    assert client.get(base).status_code == 200


def test_a_missing_statement_is_said_and_nothing_is_decided(town: Town, cast: dict[str, User]) -> None:
    recipient = town.recipient()
    form = {"application_date": "2025-11-10", "valid_from": "2025-11-01", "decide": "1"}
    page = sign_in(cast["sofiia"]).post(f"/vouchers/recipients/{recipient.pk}/fee/", form).content.decode()
    assert "income statements are missing" in page and not FeeAssessment.objects.exists()


def _second_step(client: Client, issued: IssuedCertificate) -> dict[str, str]:
    page = client.post("/vouchers/redeem/", {"certificate_key": issued.short_code.lower()})
    assert page.status_code == 200
    form = page.context["form"]
    fields = {name: form[name].value() for name in ("certificate_key", "idempotency_key")}
    return {**fields, "service_code": "015.1", "worker_code": "W-1", "units": "1.5", "starts_at": "2025-11-12T09:00"}


def test_redeeming_in_two_steps_then_confirming(town: Town, issued: IssuedCertificate, cast: dict[str, User]) -> None:
    client = sign_in(cast["nadiia"])
    fields = _second_step(client, issued)
    wrong = "000000" if issued.pin != "000000" else "111111"
    refused = client.post("/vouchers/redeem/", {**fields, "pin": wrong})
    assert refused.status_code == 409 and "Tries left: 2" in refused.content.decode()
    done = client.post("/vouchers/redeem/", {**fields, "pin": issued.pin})
    redemption = Redemption.objects.get()
    assert done["Location"] == f"/vouchers/redemptions/{redemption.pk}/"
    assert client.post("/vouchers/redeem/", {**fields, "pin": issued.pin})["Location"] == done["Location"]
    page = client.get(done["Location"]).content.decode()
    assert "38.5" in page and issued.certificate.recipient.name not in page
    early = client.post(done["Location"] + "confirm/", {"units": "1,25", "ends_at": "2025-11-12T10:15"})
    assert early.status_code == 409 and "still to come" in early.content.decode() and "1,25" in early.content.decode()
    assert client.get(done["Location"] + "confirm/").status_code == 200
    Organisation.objects.update(clock_offset=VISIT + timedelta(hours=2) - timezone.now())
    client.post(done["Location"] + "confirm/", {"units": "1,25", "ends_at": "2025-11-12T10:15"})
    redemption.refresh_from_db()
    assert (redemption.status, redemption.units_milli) == ("confirmed", 1250)


def test_the_case_worker_undoes_a_redemption(town: Town, issued: IssuedCertificate, cast: dict[str, User]) -> None:
    redemption = confirm(town, authorise(town, issued))
    page = f"/vouchers/redemptions/{redemption.pk}/"
    undo = f"{page}reverse/"
    for name in ("nadiia", "halyna", "mariia"):
        assert sign_in(cast[name]).post(undo, {"reason": "помилка"}).status_code == 403
        assert undo not in sign_in(cast[name]).get(page).content.decode()
    browser = sign_in(cast["sofiia"])
    assert undo in browser.get(page).content.decode()
    assert browser.post(undo, {"reason": ""}).status_code == 200
    browser.post(undo, {"reason": "помилка"})
    redemption.refresh_from_db()
    assert redemption.status == "reversed"
    assert undo not in browser.get(page).content.decode()
    assert browser.post(undo, {"reason": "помилка"}).status_code == 409


def test_a_wrong_code_stays_on_the_first_step(town: Town, issued: IssuedCertificate, cast: dict[str, User]) -> None:
    answer = sign_in(cast["nadiia"]).post("/vouchers/redeem/", {"certificate_key": "ABCDEFGHJ"})
    assert answer.status_code == 409 and "mistyped" in answer.content.decode()


def test_an_empty_code_is_asked_for_once(town: Town, cast: dict[str, User]) -> None:
    answer = sign_in(cast["nadiia"]).post("/vouchers/redeem/", {"certificate_key": " "})
    assert answer.status_code == 200 and answer.context["form"].errors and "refusal" not in answer.context


def test_a_provider_sees_and_changes_only_its_own(town: Town, issued: IssuedCertificate, cast: dict[str, User]) -> None:
    from contracts.models import Provider, ProviderUser

    redemption = authorise(town, issued)
    other = Provider.objects.create(code="OTHER", name="Інший", sector="private")
    ProviderUser.objects.create(provider=other, user=cast["taras"])
    stranger = sign_in(cast["taras"])
    assert redemption.code not in stranger.get("/vouchers/redemptions/").content.decode()
    address = f"/vouchers/redemptions/{redemption.pk}/"
    assert stranger.get(address).status_code == 404
    assert stranger.post(address + "void/", {"reason": "x"}).status_code == 404
    assert stranger.get(f"/vouchers/certificates/{issued.certificate.pk}/").status_code == 403
    own = sign_in(cast["nadiia"])
    assert redemption.code in own.get("/vouchers/redemptions/", {"state": "authorised"}).content.decode()
    own.post(address + "void/", {"reason": "не відбувся"})
    redemption.refresh_from_db()
    assert redemption.status == "voided"


def test_a_recipient_sees_only_the_own_certificate(town: Town, cast: dict[str, User]) -> None:
    mine = town.issue(full_name="Олена", user=cast["olena"])
    other = town.issue(full_name="Петро", user=cast["petro"])
    confirm(town, authorise(town, mine))
    client = sign_in(cast["olena"])
    page = client.get("/vouchers/mine/").content.decode()
    assert mine.certificate.number in page and other.certificate.number not in page
    assert "38.5" in page and "Турбота" in page
    assert client.get(f"/vouchers/certificates/{mine.certificate.pk}/").status_code == 200
    assert client.get(f"/vouchers/certificates/{other.certificate.pk}/").status_code == 404
    assert client.get(f"/vouchers/certificates/{other.certificate.pk}/print/").status_code == 404
    assert client.get("/vouchers/recipients/").status_code == 403


def test_an_assessment_recommends_services_and_categories_are_chosen(
    town: Town, issued: IssuedCertificate, cast: dict[str, User]
) -> None:
    client, address = sign_in(cast["sofiia"]), f"/vouchers/recipients/{issued.certificate.recipient_id}/"
    sent = {"assessed_on": "2025-11-03", "dependency_level": "III", "service1": str(town.service.pk), "units1": "12,5"}
    assert client.post(address + "needs/", {**sent, "service1": "0"}).status_code == 200
    assert client.post(address + "needs/", sent).status_code == 302
    last = issued.certificate.recipient.assessments.order_by("id").last()
    assert last and last.recommended == [{"service": town.service.code, "units_per_month": "12.5"}]
    page = client.get(address).content.decode()
    assert f"{town.service.name_en}: 12.5" in page
    offered = client.get(address + "fee/").content.decode()
    assert 'value="DISABILITY_I"' in offered and "Persons with disability of group I" in offered


def test_changes_of_a_certificate_by_forms(town: Town, issued: IssuedCertificate, cast: dict[str, User]) -> None:
    client, address = sign_in(cast["sofiia"]), f"/vouchers/certificates/{issued.certificate.pk}/"
    client.post(address + "suspend/", {"from_date": "2025-11-12", "reason": "лікарня"})
    assert Certificate.objects.get().status == "suspended"
    assert "лікарня" in client.get(address).content.decode()
    assert "лікарня" not in sign_in(cast["mariia"]).get(address).content.decode()
    client.post(address + "resume/", {"from_date": "2025-11-14"})
    assert Certificate.objects.get().status == "active"
    told = client.post(address + "replace/", {"reason": "загублено"}).content.decode()
    new = Certificate.objects.get(replaces=issued.certificate)
    assert new.number in told
    again = client.post(address + "replace/", {"reason": "загублено"})
    assert again.status_code == 409 and Certificate.objects.count() == 2
    client.post(f"/vouchers/certificates/{new.pk}/cancel/", {"status_from": "2025-11-12", "reason": "відмова"})
    new.refresh_from_db()
    assert new.status == "cancelled"
    assert sign_in(cast["halyna"]).post(address + "cancel/", {}).status_code == 403


def test_importing_visits_shows_what_is_wrong(town: Town, cast: dict[str, User]) -> None:
    client = sign_in(cast["nadiia"])
    rows = "certificate_number,service_code,starts_at,units\nCT-1,015.1,2025-11-03 09:00,1\nCT-1,015.1,then,1\n"

    def send(**extra: str):  # type: ignore[no-untyped-def]
        upload = SimpleUploadedFile("visits.csv", rows.encode())
        return client.post("/vouchers/visits/import/", {"file": upload, **extra})

    refused = send()
    assert refused.status_code == 409 and "Begins" in refused.content.decode()
    assert not Redemption.objects.exists()
    taken = send(accept_good_rows="on").content.decode()
    assert "then" in taken and "No certificate has this number." in taken
    assert Redemption.objects.count() == 1
    assert "imported before" in send(accept_good_rows="on").content.decode()
    assert Redemption.objects.count() == 1


def test_the_public_keys_are_open_and_hold_nothing_secret(town: Town) -> None:
    answer = Client().get("/.well-known/certificate-keys.json")
    (key,) = answer.json()["keys"]
    assert answer.status_code == 200 and key["crv"] == "P-256" and set(key) == {
        "kty", "crv", "alg", "use", "kid", "x", "y",
    }  # fmt: skip


def test_a_line_of_grants_is_not_offered_for_certificates(town: Town, cast: dict[str, User]) -> None:
    from contracts.models import BudgetLine

    grant = BudgetLine.objects.create(
        organisation=town.organisation, code="GRANTS", year=2025, economic_code="2610", amount="1000.00"
    )
    recipient = town.ready()
    address = f"/vouchers/recipients/{recipient.pk}/certificate/"
    client = sign_in(cast["sofiia"])
    offered = client.get(address).content.decode()
    assert "GRANTS" not in offered and str(town.budget_line) in offered
    answer = client.post(address, {"first_day": "2025-11-01", "budget_line": grant.pk})
    assert answer.status_code == 200 and not Certificate.objects.exists()


@pytest.mark.parametrize("step", ["suspend", "resume", "cancel", "replace"])
def test_wrong_input_about_a_certificate_comes_back(
    town: Town, issued: IssuedCertificate, cast: dict[str, User], step: str
) -> None:
    address = f"/vouchers/certificates/{issued.certificate.pk}/{step}/"
    client = sign_in(cast["sofiia"])
    values = {"from_date": "31.02.2025", "status_from": "0001-01-01", "reason": "я" * 301}
    answer = client.post(address, values)
    page = answer.content.decode()
    assert answer.status_code == 200 and "is-invalid" in page and ("я" * 301 in page or step == "resume")
    assert client.get(address).status_code == 200
    assert Certificate.objects.get().status == "active"


def test_a_plan_of_what_is_bought_waits_for_a_certificate(town: Town, cast: dict[str, User]) -> None:
    """Counselling by the office itself needs none: no provider is contracted for it."""
    counselling = Service.objects.create(
        organisation=town.organisation, code="P-1", name_uk="Консультування", form="office", level="simple",
        unit="hour", granularity=Decimal(1), free_for_all=True,
    )  # fmt: skip
    waiting, counselled = town.ready(), town.recipient(full_name="Вигаданий Петро")
    assess_needs(
        recipient=counselled, assessed_on=OCTOBER.date(), dependency_level="I", findings="", recommended=[],
        actor=town.case_worker, at=OCTOBER,
    )  # fmt: skip
    volumes = [PlannedVolume(counselling, Decimal(2), NOVEMBER_1)]
    approve_plan(recipient=counselled, volumes=volumes, actor=town.case_worker, at=OCTOBER)
    access = Access(cast["sofiia"], town.organisation, frozenset(), frozenset())
    assert [plan.recipient for plan in without_certificate(access)] == [waiting]
    town.issue(waiting)
    assert not without_certificate(access).exists()


@pytest.mark.parametrize(("days", "state"), [(49, "in force"), (50, "expired")])
def test_a_certificate_is_over_by_its_last_day_whatever_the_task_of_the_day_has_done(
    town: Town, issued: IssuedCertificate, cast: dict[str, User], days: int, state: str
) -> None:
    """Issued until 31 December; the visit is on 12 November."""
    certificate = issued.certificate
    person = certificate.recipient
    person.user = cast["olena"]
    person.save(update_fields=["user"])
    Organisation.objects.filter(pk=town.organisation.pk).update(
        clock_offset=VISIT + timedelta(days=days) - timezone.now()
    )
    office = [f"/vouchers/certificates/{certificate.pk}/", "/vouchers/certificates/"]
    for user, pages in (
        (cast["sofiia"], [*office, f"/vouchers/recipients/{person.pk}/"]),
        (cast["olena"], ["/", "/vouchers/mine/", office[0]]),
    ):
        browser = sign_in(user)
        for page in pages:
            words = browser.get(page).content.decode()
            assert f">{state}</span>" in words, page
            assert ("Code for the telephone" in words) == (page == "/vouchers/mine/" and state == "in force")
    certificate.refresh_from_db()
    assert certificate.status == "active"
