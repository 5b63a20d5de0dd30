"""Tables of banks and the act of the month."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from django.db import IntegrityError

from config.accounts.models import Organisation, User
from config.errors import NotFound
from settlement import documents
from settlement.actions.bank_acts import ActOutdated, ActSigned, ActTooEarly, draw_bank_act, sign_bank_act
from settlement.actions.bank_lines import explain_line
from settlement.actions.reconciliation import ColumnsUnknown, import_statement
from settlement.actions.statement_layouts import LayoutAccount, LayoutIncomplete, save_layout
from settlement.models import BankActSignature, Statement, StatementLayout, StatementLine
from tests.settlement.actions.payables import ready

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]
HEADINGS = ["Дата", "Сума", "Призначення", "Номер", "Залишок"]
COLUMNS = {"date": "Дата", "amount": "Сума", "text": "Призначення", "bank_reference": "Номер", "balance": "Залишок"}
TABLE = "Дата;Сума;Призначення;Номер;Залишок\n12.11.2025;-50,00;Комісія;1;950,00\n13.11.2025;200,00;Внесок;2;1150,00\n"
NOVEMBER = date(2025, 11, 1)


@pytest.fixture
def layout(organisation: Organisation, cast: Cast, at: datetime) -> dict[str, Any]:
    ready(at)
    return {
        "organisation": organisation,
        "name": "Банк",
        "iban": organisation.iban,
        "headings": HEADINGS,
        "columns": COLUMNS,
        "actor": cast["halyna"].as_actor(),
        "at": at,
    }


def bring(organisation: Organisation, text: str, cast: Cast, at: datetime) -> Statement:
    content, actor = text.encode("cp1251"), cast["halyna"].as_actor()
    [found] = import_statement(organisation=organisation, name="t.csv", content=content, actor=actor, at=at)
    return found.statement


def test_columns_are_asked_once(organisation: Organisation, layout: dict[str, Any], cast: Cast, at: datetime) -> None:
    with pytest.raises(ColumnsUnknown) as unknown:
        bring(organisation, TABLE, cast, at)
    assert unknown.value.params["headings"] == HEADINGS
    save_layout(**layout)
    statement = bring(organisation, TABLE, cast, at)
    assert (statement.format, statement.opening_minor, statement.closing_minor) == ("CSV", 100000, 115000)
    assert list(statement.lines.values_list("amount_minor", flat=True)) == [-5000, 20000]
    save_layout(**layout | {"name": "Той самий банк"})
    assert StatementLayout.objects.get().name == "Той самий банк"
    assert bring(organisation, TABLE, cast, at).pk == statement.pk


def test_days_in_common_are_said_and_counted_once(
    organisation: Organisation, layout: dict[str, Any], cast: Cast, at: datetime
) -> None:
    save_layout(**layout)
    bring(organisation, TABLE, cast, at)
    more = bring(organisation, TABLE + "14.11.2025;1,00;Ще;3;1151,00\n", cast, at)
    assert [problem["code"] for problem in more.problems] == ["STATEMENT_OVERLAP"]
    assert list(more.lines.values_list("status", flat=True)) == ["explained", "explained", "unmatched"]


def test_half_a_layout_is_refused(organisation: Organisation, layout: dict[str, Any]) -> None:
    with pytest.raises(LayoutIncomplete):
        save_layout(**layout | {"columns": {"date": "Дата", "debit": "Сума"}})
    with pytest.raises(LayoutIncomplete):
        save_layout(**layout | {"columns": {"date": "Дата", "amount": "Чужа"}})
    with pytest.raises(LayoutAccount):
        save_layout(**layout | {"iban": "UA000000000000000000000000000"})
    assert not StatementLayout.objects.exists()


def test_an_act_takes_two_people_who_saw_the_same(
    organisation: Organisation, other_organisation: Organisation, layout: dict[str, Any], cast: Cast, at: datetime
) -> None:
    save_layout(**layout)
    bring(organisation, TABLE, cast, at)
    halyna, ivan = cast["halyna"].as_actor(), cast["ivan"].as_actor()
    wanted = {"organisation": organisation, "iban": organisation.iban, "at": at}
    with pytest.raises(ActTooEarly):
        draw_bank_act(**wanted, month=date(2025, 12, 1), actor=halyna)
    with pytest.raises(NotFound):
        draw_bank_act(**wanted | {"iban": "UA1"}, month=NOVEMBER, actor=halyna)
    act = draw_bank_act(**wanted, month=NOVEMBER, actor=halyna)
    assert (act.figures["received"], act.figures["paid"], act.figures["open"]) == (20000, 5000, 15000)
    assert (act.figures["closing"], act.figures["open_lines"], act.figures["waiting"]) == (115000, 2, 15000)
    sign = {"organisation": organisation, "act_id": act.pk, "at": at}
    with pytest.raises(ActSigned):
        sign_bank_act(**sign, actor=halyna)
    with pytest.raises(NotFound):
        sign_bank_act(**sign | {"organisation": other_organisation}, actor=ivan)
    line = StatementLine.objects.get(amount_minor=-5000)
    explain_line(organisation=organisation, line_id=line.pk, explanation="Комісія банку", actor=ivan, at=at)
    with pytest.raises(ActOutdated):
        sign_bank_act(**sign, actor=ivan)
    act = draw_bank_act(**wanted, month=NOVEMBER, actor=halyna)
    assert act.number == 2 and act.figures["explained"] == -5000
    sign_bank_act(**sign | {"act_id": act.pk}, actor=ivan)
    with pytest.raises(ActSigned):
        sign_bank_act(**sign | {"act_id": act.pk}, actor=ivan)
    with pytest.raises(IntegrityError):
        BankActSignature.objects.create(act=act, place=1, signed_by=cast["ivan"], signed_at=at)
    assert documents.bank_act(act, [("Залишок", 5)]).startswith(b"%PDF")
