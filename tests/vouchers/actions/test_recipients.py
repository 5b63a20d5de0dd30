"""The register of recipients."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection

from config.demo.people import tax_id_for
from tests.trail import trail_for
from tests.vouchers.town import NOVEMBER_1, OCTOBER, Town
from vouchers.actions.recipients import (
    AbsenceRecorded,
    BirthDateImpossible,
    DatesReversed,
    DeathInFuture,
    DeathRecorded,
    PhoneInvalid,
    RecipientExists,
    ResidenceUnchanged,
    TaxNumberInvalid,
    TerritoryUnknown,
    move_residence,
    name_fingerprint,
    read_special,
    record_absence,
    record_death,
    tax_fingerprint,
)
from vouchers.models import Absence, Recipient

TAX_ID = tax_id_for(date(1950, 5, 4), 17)


def test_personal_data_is_encrypted_and_found_by_fingerprint(town: Town) -> None:
    recipient = town.recipient(
        full_name="  Вигадана   Олена ", tax_id=TAX_ID, phone="+380 (00) 00-01", address="вул. 1"
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, tax_id, phone, address FROM vouchers_recipient WHERE id = %s", [recipient.pk])
        raw = b"".join(bytes(value) for value in cursor.fetchone())
    assert TAX_ID.encode() not in raw and "Олена".encode() not in raw
    assert Recipient.objects.get(name_index=name_fingerprint("вигадана олена")).name == "Вигадана Олена"
    assert Recipient.objects.get(tax_id_index=tax_fingerprint(TAX_ID)) == recipient
    assert recipient.residences.get().valid_from == date(2025, 10, 1)
    event = trail_for(recipient).get()
    assert event.action == "recipient.registered" and "Олена" not in str(event.data) and TAX_ID not in str(event.data)


def test_a_mistyped_tax_number_is_refused(town: Town) -> None:
    wrong = TAX_ID[:-1] + str((int(TAX_ID[-1]) + 1) % 10)
    with pytest.raises(TaxNumberInvalid):
        town.recipient(tax_id=wrong)


def test_a_birth_date_is_that_of_a_living_person(town: Town) -> None:
    for impossible in (date(2025, 11, 20), date(1895, 1, 1)):
        with pytest.raises(BirthDateImpossible):
            town.recipient(birth_date=impossible)
    assert town.recipient(birth_date=date(1905, 1, 1)).pk and town.recipient(birth_date=date(2025, 10, 1)).pk


def test_a_telephone_number_has_digits(town: Town) -> None:
    for wrong in ("абв", "123456", "0 800 123 абв"):
        with pytest.raises(PhoneInvalid):
            town.recipient(phone=wrong)
    assert town.recipient(phone="(0382) 12-34-56").phone == "(0382) 12-34-56"


def test_a_person_is_registered_once(town: Town) -> None:
    town.recipient(tax_id=TAX_ID)
    with pytest.raises(RecipientExists):
        town.recipient(tax_id=TAX_ID, full_name="Інша Особа")


def test_a_territory_of_another_organisation_is_refused(town: Town, other_organisation: object) -> None:
    town.territory.organisation = other_organisation  # type: ignore[assignment]
    with pytest.raises(TerritoryUnknown):
        town.recipient()


def test_a_move_counts_from_the_next_month(town: Town) -> None:
    recipient = town.recipient()
    move_residence(
        recipient=recipient, territory=None, recipient_class="rural", moved_on=date(2025, 11, 5),
        actor=town.case_worker, at=OCTOBER,
    )  # fmt: skip
    old, new = recipient.residences.order_by("valid_from")
    assert (old.valid_to, new.valid_from, new.valid_to) == (date(2025, 12, 1), date(2025, 12, 1), None)
    with pytest.raises(ResidenceUnchanged):
        move_residence(
            recipient=recipient, territory=None, moved_on=date(2025, 11, 20), actor=town.case_worker, at=OCTOBER
        )


def test_an_absence_is_recorded_once_and_forwards(town: Town) -> None:
    recipient = town.recipient()
    common = {"recipient": recipient, "kind": "hospital", "actor": town.case_worker, "at": OCTOBER}
    record_absence(from_date=date(2025, 11, 3), last_day=date(2025, 11, 8), **common)
    assert Absence.objects.get().to_date == date(2025, 11, 9)
    with pytest.raises(AbsenceRecorded):
        record_absence(from_date=date(2025, 11, 3), last_day=None, **common)
    with pytest.raises(DatesReversed):
        record_absence(from_date=date(2025, 11, 3), last_day=date(2025, 11, 2), **common)


def test_a_death_cancels_certificates_and_frees_the_budget(town: Town) -> None:
    issued = town.issue()
    recipient = issued.certificate.recipient
    at = OCTOBER + timedelta(days=30)
    record_death(recipient=recipient, death_date=date(2025, 11, 10), actor=town.case_worker, at=at)
    certificate = recipient.certificates.get()
    assert (certificate.status, certificate.status_from) == ("cancelled", date(2025, 11, 11))
    assert sum(entry.units_milli for line in certificate.lines.all() for entry in line.entries.all()) == 0
    assert sum(entry.amount_minor for entry in town.budget_line.entries.all()) == 0
    with pytest.raises(DeathRecorded):
        record_death(recipient=Recipient.objects.get(), death_date=date(2025, 11, 9), actor=town.case_worker, at=at)


def test_a_death_in_the_future_is_refused(town: Town) -> None:
    with pytest.raises(DeathInFuture):
        record_death(recipient=town.recipient(), death_date=NOVEMBER_1, actor=town.case_worker, at=OCTOBER)


def test_reading_special_fields_leaves_a_trace_without_their_content(town: Town) -> None:
    recipient = town.ready(free_category="VIOLENCE")
    shown = read_special(recipient=recipient, fields=["findings", "free_category"], actor=town.case_worker, at=OCTOBER)
    assert shown == {"findings": "слабкий зір", "free_category": "VIOLENCE"}
    event = trail_for(recipient).get(action="recipient.special_read")
    assert event.data == {"fields": ["findings", "free_category"]} and event.actor == "sofiia"
