"""Visits of certificates of another municipality in the package of who bought them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from config.accounts.models import Organisation, User
from tests.config.interchange.packages import dump
from tests.config.interchange.test_differential import expected, exported
from tests.settlement.actions.clearing_town import DECEMBER, build_neighbours
from tests.vouchers.town import VISIT

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("norm", ["host", "home"])
def test_the_hosts_package_recalculates_to_the_same(
    organisation: Organisation, other_organisation: Organisation, cast: dict[str, User], norm: str, tmp_path: Path
) -> None:
    towns = build_neighbours(organisation, other_organisation, cast)
    towns.agree(norm=norm)
    for day in range(3):
        towns.visit(starts_at=VISIT + timedelta(days=day), units="2.5")
    towns.claim()
    towns.judge()
    path = tmp_path / "host"
    files = dump(path, code=towns.host.organisation.code, at=DECEMBER)
    assert b"verbivka/CT-" in files["certificates.csv"]
    rows = expected(path)
    assert len(rows["adjudications"]) == 3
    for name, wanted in rows.items():
        assert exported(files, name) == wanted, name
