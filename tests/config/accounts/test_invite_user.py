"""The first people of an installation come by a command."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from config.accounts.models import Organisation, User


@pytest.mark.django_db
def test_a_person_is_invited_and_can_sign_in(
    organisation: Organisation, capsys: pytest.CaptureFixture[str], client: object
) -> None:
    call_command("invite_user", "olha", role=["finance_maker"], organisation=organisation.code)
    password = capsys.readouterr().out.split()[-1]
    user = User.objects.get(username="olha")
    assert user.check_password(password)
    assert user.memberships.get().organisation == organisation


@pytest.mark.django_db
def test_an_office_role_needs_its_organisation(organisation: Organisation) -> None:
    with pytest.raises(CommandError, match="verbivka"):
        call_command("invite_user", "olha", role=["finance_maker"])
    assert not User.objects.exists()


@pytest.mark.django_db
def test_a_name_is_given_once(organisation: Organisation) -> None:
    call_command("invite_user", "olha", role=["provider_user"])
    with pytest.raises(CommandError, match="USER_EXISTS"):
        call_command("invite_user", "olha", role=["provider_user"])
