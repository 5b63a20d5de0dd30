"""What becomes known too late of a guest: the host's closed month is corrected by what the issuer knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from config import roles
from config.accounts.models import Membership, Organisation, User
from config.accounts.people import people_with
from config.interchange.importing import ImportReport
from config.office.models import OutboxMessage
from config.roles import CASE_WORKER
from settlement.actions.corrections import NothingToCorrect, approve_correction, propose_correction
from settlement.actions.month_close import close_month
from settlement.books import verify_books
from settlement.models import ClearingItem, Correction
from settlement.revision_queries import settled_months
from settlement.uncorrected_queries import Learnt, learnt_of, uncorrected_months
from tests.config.interchange.packages import load
from tests.oracle.generate import write
from tests.settlement.actions.clearing_town import DECEMBER, Neighbours, build_neighbours
from tests.signed_in import browser
from tests.vouchers.town import NOVEMBER_1, pensioner
from vouchers.actions.assessments import decide_fee
from vouchers.actions.certificate_life import cancel_certificate, suspend_certificate
from vouchers.actions.fee_revisions import approve_fee_revision, propose_fee_revision
from vouchers.actions.plans import close_plan
from vouchers.actions.recipients import record_absence, record_death
from vouchers.models import Absence, Certificate, FeeRevision, IndividualPlan
from vouchers.queries import mask_name

pytestmark = pytest.mark.django_db
LEARNT = DECEMBER + timedelta(days=1)
LATER = LEARNT + timedelta(hours=1)
DECEMBER_1 = date(2025, 12, 1)


@pytest.fixture
def towns(organisation: Organisation, other_organisation: Organisation, cast: dict[str, User]) -> Neighbours:
    return build_neighbours(organisation, other_organisation, cast)


def settle(towns: Neighbours, norm: str = "host") -> None:
    """A visit of the guest settled between both, whose November is closed."""
    towns.agree(norm=norm)
    towns.agreed()
    for town in (towns.home, towns.host):
        close_month(organisation=town.organisation, month=NOVEMBER_1, actor=towns.of(town, "checker"), at=DECEMBER)


def propose(towns: Neighbours, **changes: Any) -> Correction:
    values: dict[str, Any] = {
        "organisation": towns.host.organisation, "month": NOVEMBER_1, "ground": "attendance", "reason": "Довідка",
        "actor": towns.of(towns.host, "maker"), "at": LATER,
    }  # fmt: skip
    return propose_correction(**values | changes)


def approve(towns: Neighbours, made: Correction) -> Correction:
    return approve_correction(
        organisation=towns.host.organisation, correction_id=made.pk, content_sha256=made.content_sha256,
        actor=towns.of(towns.host, "checker"), at=LATER,
    )  # fmt: skip


@pytest.mark.parametrize("norm", ["host", "home"])
def test_a_stay_that_the_issuer_learns_of_late_is_found_by_the_host(towns: Neighbours, norm: str) -> None:
    settle(towns, norm)
    with pytest.raises(NothingToCorrect):
        propose(towns)
    Absence.objects.create(
        recipient=towns.issued.certificate.recipient, kind="hospital", from_date=date(2025, 11, 10),
        to_date=date(2025, 11, 15), recorded_at=LEARNT,
    )  # fmt: skip
    due = ClearingItem.objects.get().due_minor
    made = approve(towns, propose(towns))
    assert made.gross_minor == made.payable_minor == -ClearingItem.objects.order_by("pk")[0].payable_minor < 0
    assert list(ClearingItem.objects.order_by("pk").values_list("due_minor", flat=True)) == [due, -due]
    known = Absence.objects.get(recipient=Certificate.objects.get(home=towns.issued.certificate).recipient)
    assert known.recorded_at == LATER and verify_books() == []
    statement = towns.draw(month=DECEMBER_1, at=LATER)
    for town in (towns.home, towns.host):
        towns.sign(statement, town, at=LATER)
    assert verify_books() == []


def decide_anew(towns: Neighbours, last_day: date = date(2025, 11, 30)) -> FeeRevision:
    """The issuer halves the limit of November."""
    home, user = towns.home, User.objects.create(username="colleague", display_name="Друга Вигадана")
    Membership.objects.create(user=user, role=CASE_WORKER, organisation=home.organisation)
    revision = propose_fee_revision(
        recipient=towns.issued.certificate.recipient, inputs=pensioner("4772.00", NOVEMBER_1), valid_from=NOVEMBER_1,
        last_day=last_day, reason="Довідка про доходи", actor=home.case_worker, at=LEARNT,
    )  # fmt: skip
    return approve_fee_revision(
        organisation=home.organisation, revision_id=revision.pk, actor=user.as_actor(), at=LEARNT
    )


def test_a_fee_decided_anew_by_the_issuer_is_told_shown_and_found(towns: Neighbours) -> None:
    towns.issued = towns.home.issue(income="4822.00")
    settle(towns)
    revision = decide_anew(towns)
    guest, name = Certificate.objects.get(home=towns.issued.certificate), revision.recipient.name
    messages = OutboxMessage.objects.filter(code__startswith="fee_revision.").select_related("user")
    told = {row.user.username: row for row in messages if row.user}
    assert set(told) >= {"maker.verbivka", "maker.kalynivka"} and "checker.kalynivka" not in told
    theirs = told["maker.kalynivka"]
    assert (theirs.code, theirs.label) == ("fee_revision.guest_to_settle", f"vouchers.certificate:{guest.pk}")
    assert theirs.params == {"home": towns.home.organisation.name, "valid_from": "2025-11-01", "last_day": "2025-11-30"}
    (month,) = settled_months(revision)
    assert (month.host, month.month, month.lines, month.closed) == (towns.host.organisation, NOVEMBER_1, 1, True)
    assert month.fee_minor == 10_000 and month.corrections == ()
    made = approve(towns, propose(towns, ground="income"))
    assert (made.fee_minor, made.payable_minor, made.gross_minor) == (-5_000, 5_000, 0) and verify_books() == []
    assert settled_months(revision)[0].corrections == (made,)
    page = browser(User.objects.get(username="maker.verbivka"), "en").get(f"/settlement/fees-anew/{revision.pk}/")
    words = page.content.decode()
    assert f"11.2025, {towns.host.organisation.name}" in words and "A correction of that municipality" in words
    assert mask_name(name) in words and name not in words and made.number not in words
    page = browser(User.objects.get(username="maker.kalynivka"), "en").get("/notices/")
    words = page.content.decode()
    assert "Another municipality decided anew" in words and f"verbivka/{towns.issued.certificate.number}" in words
    assert name not in words and revision.number not in words


def stay(towns: Neighbours) -> tuple[str, str | None]:
    person = towns.issued.certificate.recipient
    first, last = date(2025, 11, 10), date(2025, 11, 14)
    record_absence(recipient=person, kind="hospital", from_date=first, last_day=last, **at_home(towns))
    return str(first), str(last)


def death(towns: Neighbours) -> tuple[str, str | None]:
    record_death(recipient=towns.issued.certificate.recipient, death_date=date(2025, 11, 2), **at_home(towns))
    return "2025-11-02", None


def plan_ended(towns: Neighbours) -> tuple[str, str | None]:
    plan = IndividualPlan.objects.get(recipient=towns.issued.certificate.recipient)
    close_plan(plan=plan, last_day=date(2025, 11, 2), **at_home(towns))
    return "2025-11-03", None


def rest(towns: Neighbours) -> tuple[str, str | None]:
    suspend_certificate(
        certificate=towns.issued.certificate, from_date=date(2025, 11, 2), last_day=date(2025, 11, 20), reason="виїзд",
        **at_home(towns),
    )  # fmt: skip
    return "2025-11-02", "2025-11-20"


def cancelled(towns: Neighbours) -> tuple[str, str | None]:
    cancel_certificate(
        certificate=towns.issued.certificate, status_from=date(2025, 11, 2), reason="помилка", **at_home(towns)
    )
    return "2025-11-02", None


def at_home(towns: Neighbours) -> dict[str, Any]:
    return {"actor": towns.home.case_worker, "at": LEARNT}


def told_to(town: str) -> list[OutboxMessage]:
    rows = OutboxMessage.objects.filter(code="certificate.guest_to_settle", user__username=f"maker.{town}")
    return list(rows.order_by("pk"))


def listed(towns: Neighbours) -> list[Learnt]:
    """What stands on the host's list of closed months to correct."""
    host = towns.host.organisation
    return [fact for facts in learnt_of(host, uncorrected_months(host)).values() for fact in facts]


@pytest.mark.parametrize("learn", [stay, death, plan_ended, rest, cancelled])
def test_what_the_issuer_learns_late_is_told_where_the_guest_was_served(
    towns: Neighbours, learn: Callable[[Neighbours], tuple[str, str | None]]
) -> None:
    towns.issued = towns.home.issue(income="4822.00")
    settle(towns)
    first, last = learn(towns)
    (told,) = told_to("kalynivka")
    guest, person = Certificate.objects.get(home=towns.issued.certificate), towns.issued.certificate.recipient
    assert told.label == f"vouchers.certificate:{guest.pk}" and told.organisation == towns.host.organisation
    assert told.params == {"home": towns.home.organisation.name, "valid_from": first, "last_day": last}
    assert not OutboxMessage.objects.filter(code=told.code).exclude(organisation=towns.host.organisation).exists()
    assert not OutboxMessage.objects.filter(code=told.code, user__username="checker.kalynivka").exists()
    page = browser(User.objects.get(username="maker.kalynivka"), "en").get("/notices/").content.decode()
    assert "learnt late" in page and "what the other municipality knows now" in page
    assert person.name not in page and "hospital" not in page
    (known,) = listed(towns)
    assert (known.label, known.at, known.reason) == (told.label, LEARNT, towns.home.organisation.name)
    page = browser(User.objects.get(username="maker.kalynivka"), "en").get("/settlement/corrections/months/")
    words = page.content.decode()
    assert guest.number in words and towns.home.organisation.name in words and person.name not in words
    made = propose(towns)
    assert made.gross_minor < 0, "the correction finds what was told"
    assert listed(towns) == []


def by_package(towns: Neighbours, folder: Path, first: str, to: str, **options: bool) -> ImportReport:
    """The issuer imports a stay, both days of it included."""
    home, person = towns.home.organisation, towns.issued.certificate.recipient
    row = {"recipient_code": person.code, "kind": "hospital", "from_date": first, "to_date": to}
    return load(write({"absences": [row]}, folder, code=home.code, name=home.name), at=LEARNT, **options)


def test_what_comes_by_a_package_is_told_and_listed_where_the_guest_was_served(
    towns: Neighbours, tmp_path: Path
) -> None:
    settle(towns)
    days = ("2025-11-10", "2025-11-14")
    assert not by_package(towns, tmp_path, *days, dry_run=True).refusals
    assert told_to("kalynivka") == listed(towns) == []
    for _again in range(2):
        assert by_package(towns, tmp_path, *days).imported
    (told,) = told_to("kalynivka")
    assert told.params == {"home": towns.home.organisation.name, "valid_from": days[0], "last_day": days[1]}
    assert [fact.label for fact in listed(towns)] == [told.label] and told_to("verbivka") == []
    assert propose(towns).gross_minor < 0 and listed(towns) == []


def test_where_nobody_prepares_corrections_the_administrator_is_told_and_the_month_is_listed(
    towns: Neighbours, tmp_path: Path
) -> None:
    settle(towns)
    host = towns.host.organisation
    gone = list(people_with(host.pk, "corrections.propose"))
    Membership.objects.filter(organisation=host, user__in=gone).update(role=roles.AUDITOR)
    chief = User.objects.create(username="chief.host", display_name="Голова")
    Membership.objects.create(user=chief, organisation=host, role=roles.ADMINISTRATOR)
    assert by_package(towns, tmp_path, "2025-11-10", "2025-11-14").imported
    told = OutboxMessage.objects.filter(code="certificate.guest_to_settle", organisation=host)
    chiefs = set(people_with(host.pk, "users.manage"))
    assert chief in chiefs and {row.user for row in told} == chiefs and len(listed(towns)) == 1


def test_what_comes_in_time_or_of_days_without_visits_is_not_listed(towns: Neighbours, tmp_path: Path) -> None:
    settle(towns)
    assert by_package(towns, tmp_path / "now", "2025-12-01", "2025-12-02").imported and told_to("kalynivka") == []
    assert by_package(towns, tmp_path / "then", "2025-11-20", "2025-11-21").imported
    assert len(told_to("kalynivka")) == 1 and listed(towns) == []


def test_a_fee_that_is_decided_late_by_the_ordinary_way_is_told_too(towns: Neighbours) -> None:
    towns.issued = towns.home.issue(income="4822.00")
    settle(towns)
    decide_fee(
        recipient=towns.issued.certificate.recipient, inputs=pensioner("4772.00", DECEMBER_1), valid_from=DECEMBER_1,
        actor=towns.home.case_worker, at=DECEMBER + timedelta(days=40),
    )  # fmt: skip
    (told,) = told_to("kalynivka")
    assert (told.params["valid_from"], told.params["last_day"]) == ("2025-12-01", None)


def test_what_is_learnt_in_time_or_of_other_days_is_told_to_nobody(towns: Neighbours) -> None:
    towns.issued = towns.home.issue(income="4822.00")
    settle(towns)
    common = {"recipient": towns.issued.certificate.recipient, "kind": "hospital", "last_day": None}
    guest = Certificate.objects.get(home=towns.issued.certificate)
    guest.change(at=DECEMBER, valid_from=DECEMBER_1)
    stay(towns)
    record_absence(**common, from_date=DECEMBER_1, **at_home(towns))
    assert told_to("kalynivka") == [] and told_to("verbivka") == []


def test_months_outside_the_certificate_concern_nobody_elsewhere(towns: Neighbours) -> None:
    towns.issued = towns.home.issue(income="4822.00")
    settle(towns)
    Certificate.objects.get(home=towns.issued.certificate).change(at=DECEMBER, valid_from=DECEMBER_1)
    decide_anew(towns)
    assert not OutboxMessage.objects.filter(code="fee_revision.guest_to_settle").exists()
