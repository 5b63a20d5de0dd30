"""Which municipality a command means."""

from __future__ import annotations

import pytest

from config.accounts.models import Organisation
from config.accounts.organisations import UnknownOrganisation, organisation_named

pytestmark = pytest.mark.django_db


def test_the_only_one_or_the_one_that_is_named(organisation: Organisation) -> None:
    assert organisation_named("") == organisation == organisation_named(organisation.code)
    with pytest.raises(UnknownOrganisation):
        organisation_named("nobody")


def test_of_several_one_must_be_named(organisation: Organisation, other_organisation: Organisation) -> None:
    with pytest.raises(UnknownOrganisation):
        organisation_named("")
    assert organisation_named(other_organisation.code) == other_organisation


def test_of_a_demonstration_the_first_is_meant(organisation: Organisation, other_organisation: Organisation) -> None:
    Organisation.objects.update(is_demo=True)
    assert organisation_named("") == organisation
    Organisation.objects.filter(pk=other_organisation.pk).update(is_demo=False)
    with pytest.raises(UnknownOrganisation):
        organisation_named("")
