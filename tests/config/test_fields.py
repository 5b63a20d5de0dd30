"""Encrypted text and blind indexes."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag
from django.db import connection

from config.accounts.models import Organisation
from config.fields import blind_index
from tests.conftest import AT
from vouchers.models import Recipient


@pytest.mark.django_db
def test_the_database_holds_no_plain_name(organisation: Organisation) -> None:
    recipient = Recipient.objects.create(
        organisation=organisation, code="R1", name="Вигадана Ганна", registered_at=AT
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM vouchers_recipient WHERE id = %s", [recipient.pk])
        raw = bytes(cursor.fetchone()[0])
    assert "Вигадана".encode() not in raw
    assert Recipient.objects.get(pk=recipient.pk).name == "Вигадана Ганна"


@pytest.mark.django_db
def test_a_value_moved_to_another_column_is_refused(organisation: Organisation) -> None:
    recipient = Recipient.objects.create(
        organisation=organisation, code="R1", phone="+380000000001", registered_at=AT
    )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE vouchers_recipient SET address = phone WHERE id = %s", [recipient.pk])
    with pytest.raises(InvalidTag):
        Recipient.objects.get(pk=recipient.pk)


def test_the_blind_index_ignores_case_and_outer_spaces() -> None:
    assert blind_index(" Вигадана ", purpose="name") == blind_index("вигадана", purpose="name")
    assert blind_index("вигадана", purpose="name") != blind_index("вигадана", purpose="tax_id")
    assert blind_index(" ", purpose="name") == ""
