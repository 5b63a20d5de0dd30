"""One action, one transaction, one audit event."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connection, transaction

from config.accounts.actions import create_organisation
from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from config.audit.models import AuditEvent
from config.audit.queries import trail_for
from config.audit.recording import EventMissing, action, record
from config.audit.verification import verify_chains
from tests.conftest import AT


def _create(code: str) -> Organisation:
    return create_organisation(code=code, name=code, jurisdiction="UA", actor=SYSTEM, at=AT)


@pytest.mark.django_db
def test_an_action_writes_its_event_into_the_chain_of_its_organisation() -> None:
    organisation = _create("alpha")
    event = trail_for(organisation).get()
    assert (event.chain, event.sequence, event.action) == ("alpha", 1, "organisation.created")
    assert bytes(event.hash) != b""


@pytest.mark.django_db
def test_an_action_without_an_event_is_a_bug_and_leaves_nothing() -> None:
    @action
    def forgetful() -> None:
        Organisation.objects.create(code="lost", name="lost")

    with pytest.raises(EventMissing):
        forgetful()
    assert not Organisation.objects.filter(code="lost").exists()


@pytest.mark.django_db
def test_personal_keys_never_reach_the_trail() -> None:
    organisation = _create("alpha")

    @action
    def touch() -> None:
        record("organisation.touched", organisation, actor=SYSTEM, at=AT, phone="0501112233", lines=3)

    touch()
    data = trail_for(organisation).first().data
    assert data == {"phone": "•••", "lines": 3}


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ["UPDATE audit_auditevent SET actor = 'x'", "DELETE FROM audit_auditevent"])
def test_the_database_refuses_to_rewrite_history(statement: str) -> None:
    _create("alpha")
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
def test_a_row_changed_with_triggers_off_is_named(as_owner: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = DEFAULT")
    for code in ("alpha", "beta"):
        _create(code)
    assert verify_chains() == (2, [])
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
    AuditEvent.objects.filter(chain="beta").update(actor="somebody-else")
    _, faults = verify_chains()
    assert [(f.chain, f.sequence) for f in faults] == [("beta", 1)]
    assert faults[0].reason == "content differs from its hash"
