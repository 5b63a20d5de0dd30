"""The law of a run's package says of each value what was known of its source when the run was made."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from config.accounts.models import Organisation, User
from config.audit.actors import SYSTEM
from config.interchange.exporting import export_package
from contracts.actions.parameters import Source, approve_parameter, propose_confirmation
from contracts.models import Parameter
from tests.conftest import AT
from tests.oracle.small import add
from tests.settlement.actions.month import NOVEMBER, free_visits, imported, judge

pytestmark = pytest.mark.django_db(transaction=True)
KEY = "worker.hours_per_day_max"
SOURCE = Source("Постанова 428", "V-TEXT", "п. 3")


@dataclass(frozen=True)
class Law:
    """A municipality with a value whose source nobody has checked, and two persons."""

    organisation: Organisation
    value: Parameter
    people: tuple[User, User]

    def confirm(self, at: datetime) -> None:
        one, two = (person.as_actor() for person in self.people)
        proposal = propose_confirmation(
            organisation=self.organisation, parameter=self.value, source=SOURCE, actor=one, at=at
        )
        approve_parameter(proposal=proposal, actor=two, at=at)

    def said(self, folder: Path, run: int | None = None) -> tuple[str, str, str]:
        """Act, article and evidence of the value in a package."""
        options = {"period": NOVEMBER, "run": run} if run else {}
        export_package(organisation=self.organisation, path=folder, actor=SYSTEM, at=AT, **options)
        rows = csv.DictReader(io.StringIO((folder / "parameters.csv").read_text()))
        (row,) = (row for row in rows if row["key"] == self.value.key)
        return row["act"], row["article"], row["evidence"]


@pytest.fixture
def law(tmp_path: Path) -> Law:
    tables = free_visits()
    value = {"jurisdiction": "UA", "key": KEY, "valid_from": "2020-01-01", "value": "12"}
    add(tables, "parameters", **value, act="за пам’яттю", evidence="MEM")
    organisation = imported(tables, tmp_path / "given")
    one, two = (User.objects.create(username=name, display_name=name) for name in ("one", "two"))
    return Law(organisation, Parameter.objects.get(organisation=organisation, key=KEY), (one, two))


def test_a_value_confirmed_after_the_run_was_unconfirmed_at_the_run(law: Law, tmp_path: Path) -> None:
    assert judge(law.organisation)
    law.confirm(AT + timedelta(hours=1))
    assert law.said(tmp_path / "run", run=1) == ("за пам’яттю", "", "MEM")
    assert law.said(tmp_path / "now") == (SOURCE.act, SOURCE.article, SOURCE.evidence)


def test_a_value_confirmed_before_the_run_goes_with_its_source(law: Law, tmp_path: Path) -> None:
    law.confirm(AT - timedelta(hours=1))
    assert judge(law.organisation)
    assert law.said(tmp_path / "run", run=1) == (SOURCE.act, SOURCE.article, SOURCE.evidence)


def test_what_was_learnt_minutes_after_the_run_is_not_in_it(law: Law, tmp_path: Path) -> None:
    """The zone of the municipality, in which times are written, does not move the moment of the run."""
    run = judge(law.organisation)
    assert run and run.known_at == AT
    Parameter.objects.get(pk=law.value.pk).change(at=AT + timedelta(minutes=1), value="11")
    law.said(tmp_path / "run", run=1)
    text = (tmp_path / "run" / "parameters.csv").read_text()
    assert f"{KEY},2020-01-01,12," in text
    facts = json.loads((tmp_path / "run" / "datapackage.json").read_text())["facts"]
    assert datetime.fromisoformat(facts["known_at"]) == AT
