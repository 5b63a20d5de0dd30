"""The town of the voucher tests."""

from __future__ import annotations

import pytest

from config.accounts.models import Organisation, User
from tests.vouchers.town import Town, build_town


@pytest.fixture
def town(organisation: Organisation, cast: dict[str, User]) -> Town:
    """A small municipality with one provider."""
    return build_town(organisation, cast)
