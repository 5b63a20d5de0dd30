"""Own values of parameters: two persons, never over what was, never into a closed month."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from config.accounts.models import Organisation, User
from config.errors import FourEyes, NotFound
from config.states import InvalidMove
from contracts.actions import parameters as actions
from contracts.actions.reference import load_reference
from contracts.models import Parameter, ParameterProposal
from contracts.parameters import parameter_value
from contracts.queries import unverified_parameters
from settlement.models import ClosedMonth
from tests.conftest import AT
from tests.trail import trail_for

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "admin_cap_pct"
START = date(2026, 1, 1)
SOURCE = actions.Source("Cabinet 428", "V-TEXT", "art. 3")


@pytest.fixture(autouse=True)
def law(organisation: Organisation) -> None:
    load_reference(at=AT)


@pytest.fixture
def pavlo(cast: dict[str, User]) -> User:
    return cast["pavlo"]


def propose(organisation: Organisation, who: User, value: str = "12", start: date = START, **more: Any) -> Any:
    given = {"key": KEY, "source": SOURCE, "at": AT, **more}
    return actions.propose_parameter(
        organisation=organisation, value=value, valid_from=start, actor=who.as_actor(), **given
    )


def approve(proposal: ParameterProposal, who: User, at: datetime = AT) -> Parameter:
    return actions.approve_parameter(proposal=proposal, actor=who.as_actor(), at=at)


def value_on(organisation: Organisation, day: date, known_at: datetime | None = None) -> str:
    return parameter_value(organisation, KEY, day, known_at=known_at).text


def test_a_value_counts_from_its_day_once_a_second_person_approved(
    organisation: Organisation, other_organisation: Organisation, pavlo: User, cast: dict[str, User]
) -> None:
    proposal = propose(organisation, pavlo, "12,5")
    assert value_on(organisation, START) == "15"
    parameter = approve(proposal, cast["oksana"])
    assert value_on(organisation, START - timedelta(days=1)) == "15"
    assert value_on(organisation, START) == "12.5"
    assert value_on(organisation, START, known_at=AT - timedelta(days=1)) == "15"
    assert value_on(other_organisation, START) == "15"
    assert (parameter.recorded_by, parameter.unit, parameter.unverified) == (pavlo, "percent", False)
    assert [event.action for event in trail_for(proposal)] == ["parameter.approved", "parameter.proposed"]


def test_the_author_does_not_approve(organisation: Organisation, pavlo: User) -> None:
    proposal = propose(organisation, pavlo)
    with pytest.raises(FourEyes):
        approve(proposal, pavlo)
    assert not Parameter.objects.filter(organisation=organisation).exists()


def test_the_earlier_own_value_ends_the_day_before_and_its_end_is_known_from_then_on(
    organisation: Organisation, pavlo: User, cast: dict[str, User]
) -> None:
    first = approve(propose(organisation, pavlo), cast["oksana"])
    later = AT + timedelta(days=60)
    approve(propose(organisation, pavlo, "11", date(2026, 3, 1), at=later), cast["oksana"], later)
    first.refresh_from_db()
    assert first.valid_to == date(2026, 3, 1)
    assert value_on(organisation, date(2026, 2, 28)) == "12"
    assert value_on(organisation, date(2026, 3, 1)) == "11"
    assert value_on(organisation, date(2026, 3, 1), known_at=AT + timedelta(days=1)) == "12"


def test_a_value_before_a_known_one_ends_where_that_begins(
    organisation: Organisation, pavlo: User, cast: dict[str, User]
) -> None:
    approve(propose(organisation, pavlo, "11", date(2026, 3, 1)), cast["oksana"])
    approve(propose(organisation, pavlo, "12"), cast["oksana"])
    assert [value_on(organisation, date(2026, month, 1)) for month in (1, 2, 3)] == ["12", "12", "11"]


def test_a_value_on_record_is_never_overwritten(organisation: Organisation, pavlo: User, cast: dict[str, User]) -> None:
    waiting = propose(organisation, pavlo, "13")
    approve(propose(organisation, pavlo, "12"), cast["oksana"])
    with pytest.raises(actions.ParameterOnRecord):
        propose(organisation, pavlo, "14")
    with pytest.raises(actions.ParameterOnRecord):
        approve(waiting, cast["oksana"])
    assert value_on(organisation, START) == "12"


def test_closed_months_stay(organisation: Organisation, pavlo: User, cast: dict[str, User]) -> None:
    before = propose(organisation, pavlo, start=date(2025, 11, 15))
    ClosedMonth.objects.create(
        organisation=organisation, month=date(2025, 11, 1), closed_at=AT, closed_by=cast["ivan"], figures={}
    )
    for start in (date(2025, 10, 1), date(2025, 11, 30)):
        with pytest.raises(actions.ParameterDayClosed, match=r"01\.12\.2025"):
            propose(organisation, pavlo, start=start)
    with pytest.raises(actions.ParameterDayClosed):
        approve(before, cast["oksana"])
    approve(propose(organisation, pavlo, start=date(2025, 12, 1)), cast["oksana"])
    assert (value_on(organisation, date(2025, 11, 30)), value_on(organisation, date(2025, 12, 1))) == ("15", "12")


@pytest.mark.parametrize("value", ["fifteen", "-1", "15 %"])
def test_a_malformed_value_is_refused_with_an_example(organisation: Organisation, pavlo: User, value: str) -> None:
    with pytest.raises(actions.ValueMalformed, match="15"):
        propose(organisation, pavlo, value)
    assert not ParameterProposal.objects.exists()


def test_only_known_keys_get_values(organisation: Organisation, pavlo: User) -> None:
    with pytest.raises(NotFound):
        propose(organisation, pavlo, key="no.such.key")


def test_a_withdrawn_value_cannot_be_approved(organisation: Organisation, pavlo: User, cast: dict[str, User]) -> None:
    proposal = propose(organisation, pavlo)
    actions.withdraw_parameter(proposal=proposal, reason="помилка", actor=pavlo.as_actor(), at=AT)
    with pytest.raises(InvalidMove):
        approve(proposal, cast["oksana"])


def test_a_verified_own_value_leaves_the_list_of_unverified(
    organisation: Organisation, pavlo: User, cast: dict[str, User]
) -> None:
    def listed() -> set[str]:
        return set(unverified_parameters(organisation, AT.date()).values_list("key", flat=True))

    # A value that no calculation reads waits for nobody.
    Parameter.objects.create(
        organisation=organisation,
        jurisdiction="UA",
        key="for_reference.only",
        value="1",
        valid_from=AT.date(),
        recorded_at=AT,
    )
    assert KEY in listed() and "for_reference.only" not in listed()
    approve(propose(organisation, pavlo, "15"), cast["oksana"])
    assert KEY not in listed()
    unsure = actions.Source("newspaper", "MEM")
    approve(propose(organisation, pavlo, "14", date(2026, 5, 1), source=unsure), cast["oksana"])
    assert KEY in listed()


@pytest.fixture
def unchecked(organisation: Organisation) -> Parameter:
    """A national value that the files of the product could not verify."""
    row = Parameter.objects.get(key=KEY, jurisdiction=organisation.jurisdiction)
    assert row.evidence == "MEM" and not row.valid_to
    return row


def confirm(organisation: Organisation, row: Parameter, who: User, source: actions.Source = SOURCE) -> Any:
    return actions.propose_confirmation(
        organisation=organisation, parameter=row, source=source, actor=who.as_actor(), at=AT
    )


def test_a_value_is_confirmed_as_it_is_by_two_persons_also_in_closed_months(
    organisation: Organisation,
    other_organisation: Organisation,
    unchecked: Parameter,
    pavlo: User,
    cast: dict[str, User],
) -> None:
    ClosedMonth.objects.create(
        organisation=organisation, month=date(2025, 10, 1), closed_at=AT, closed_by=pavlo, figures={}
    )
    proposal = confirm(organisation, unchecked, pavlo)
    assert parameter_value(organisation, KEY, START).unverified, "one person is not enough"
    with pytest.raises(FourEyes):
        approve(proposal, pavlo)
    assert approve(proposal, cast["oksana"]) == unchecked
    found = parameter_value(organisation, KEY, START)
    assert (found.id, found.text, found.unverified) == (unchecked.pk, "15", False)
    assert (found.act, found.article, found.evidence) == ("Cabinet 428", "art. 3", "V-TEXT")
    assert parameter_value(organisation, KEY, START, known_at=AT - timedelta(days=1)).unverified
    assert parameter_value(other_organisation, KEY, START).unverified, "each municipality confirms for itself"
    assert not Parameter.objects.filter(organisation=organisation).exists()
    assert [event.action for event in trail_for(unchecked)] == [
        "parameter.confirmed",
        "parameter.confirmation_proposed",
    ]


def test_a_confirmed_value_waits_for_nobody_and_is_confirmed_once(
    organisation: Organisation, unchecked: Parameter, pavlo: User, cast: dict[str, User]
) -> None:
    first, second = confirm(organisation, unchecked, pavlo), confirm(organisation, unchecked, pavlo)
    assert unchecked in unverified_parameters(organisation, START)
    approve(first, cast["oksana"])
    assert unchecked not in unverified_parameters(organisation, START)
    with pytest.raises(actions.ParameterVerified):
        approve(second, cast["oksana"])
    with pytest.raises(actions.ParameterVerified):
        confirm(organisation, unchecked, pavlo)


def test_a_corrected_value_has_to_be_confirmed_anew(
    organisation: Organisation, unchecked: Parameter, pavlo: User, cast: dict[str, User]
) -> None:
    approve(confirm(organisation, unchecked, pavlo), cast["oksana"])
    unchecked.change(at=AT + timedelta(days=1), value="13")
    assert parameter_value(organisation, KEY, START).unverified


def test_a_confirmation_says_what_was_seen(organisation: Organisation, unchecked: Parameter, pavlo: User) -> None:
    with pytest.raises(actions.EvidenceMissing):
        confirm(organisation, unchecked, pavlo, actions.Source("Cabinet 428", "MEM"))
    assert not ParameterProposal.objects.exists()
