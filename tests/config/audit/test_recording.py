"""One action, one transaction, one audit event."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection, transaction
from django.utils.translation import override

from config.accounts.actions import create_organisation
from config.accounts.models import Organisation
from config.audit.actors import SYSTEM
from config.audit.recording import EventMissing, action, record
from tests.conftest import AT
from tests.trail import trail_for


def _create(code: str) -> Organisation:
    return create_organisation(code=code, name=code, jurisdiction="UA", actor=SYSTEM, at=AT)


@action
def _touch(organisation: Organisation) -> None:
    record("organisation.touched", organisation, actor=SYSTEM, at=AT, phone="0501112233", lines=3)


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
    _touch(organisation)
    data = trail_for(organisation).first().data
    assert data == {"phone": "•••", "lines": 3}


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ["UPDATE audit_auditevent SET actor = 'x'", "DELETE FROM audit_auditevent"])
def test_the_database_refuses_to_rewrite_history(statement: str) -> None:
    _create("alpha")
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


# What somebody does with the triggers off, and what the command then says of the chain "beta".
CORRUPTIONS = [
    ("UPDATE audit_auditevent SET actor = 'x' WHERE chain = 'beta' AND sequence = 1", "beta #1: content differs"),
    ("DELETE FROM audit_auditevent WHERE chain = 'beta' AND sequence = 1", "beta #2: missing row before"),
    ("DELETE FROM audit_auditevent WHERE chain = 'beta' AND sequence = 2", "beta #2: head does not match"),
    ("DELETE FROM audit_chainhead WHERE chain = 'beta'", "beta #2: chain without its head"),
    (
        "DELETE FROM audit_chainhead WHERE chain = 'beta'; DELETE FROM audit_auditevent WHERE chain = 'beta'",
        "beta #0: office without a trail",
    ),
]


def _verified() -> tuple[int, str]:
    """Exit code and words of the command."""
    out = io.StringIO()
    try:
        with override("en"):
            call_command("verify_audit", stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize(("statement", "named"), CORRUPTIONS)
def test_the_command_names_what_was_done_with_triggers_off(as_owner: None, statement: str, named: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = DEFAULT")
        for code in ("alpha", "beta"):
            _touch(_create(code))
        assert _verified() == (0, "4 events checked, 0 faults: the trail is whole\n")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement)
    ended, words = _verified()
    assert ended == 1
    assert named in words
    assert "alpha" not in words
