"""Pages and the command of settlement forms: who may, what comes out, what the trail keeps."""

from __future__ import annotations

import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.http import HttpResponse
from openpyxl import load_workbook

from config.audit.models import AuditEvent
from contracts.models import Provider
from settlement.models import Claim, FeeReport, Remittance
from tests.golden_rows import case_file, checked
from tests.settlement.views.town import Town, settled_town, url
from vouchers.models import Recipient

pytestmark = pytest.mark.django_db
ADVANCE = "service;tariff;planned_volume;recipient_payment\nПомощь;143.54;12;500\n"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    found = settled_town(tmp_path)
    found.organisation.jurisdiction, found.organisation.currency = "RU", "RUB"
    found.organisation.save()
    return found


def drawn(town: Town, form: str, content: str = "", kind: str = "xlsx", who: str = "halyna") -> Any:
    fields: dict[str, Any] = {"provider": Provider.objects.get(code="P1").pk, "period": "2025-11", "kind": kind}
    if content:
        fields["file"] = SimpleUploadedFile("ноябрь.csv", content.encode())
    return town.browser(who).post(url("form_draw", form), fields)


def cells(answer: HttpResponse) -> list[tuple[Any, ...]]:
    return list(load_workbook(io.BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True))


def events() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action="settlement_form.drawn").order_by("id"))


def test_a_form_of_a_spreadsheet_leaves_its_trail(town: Town) -> None:
    items = checked(case_file("ru-samara-2017-subsidy-statement")["items"])
    rows = [
        ";".join(item[name] for name in ("service", "tariff", "planned_volume", "recipient_payment")) for item in items
    ]
    answer = drawn(town, "advance", "\n".join([ADVANCE.split("\n")[0], *rows]))
    total = sum(Decimal(item["expected_col7"]) for item in items)
    assert answer.status_code == 200 and answer["Content-Disposition"].startswith("attachment")
    assert next(row[6] for row in cells(answer) if row[1] == "Итого") == float(total)
    (event,) = events()
    assert (event.actor, event.data["form"], event.data["rows"]) == ("halyna", "advance", len(items))
    assert (event.data["total"], event.data["month"]) == (str(total), "2025-11") and event.data["sha256"]


def test_the_same_form_is_printed(town: Town) -> None:
    answer = drawn(town, "advance", ADVANCE, kind="pdf")
    assert answer.content.startswith(b"%PDF") and answer["Content-Disposition"].startswith("inline")


def test_wrong_cells_are_listed_and_nothing_is_drawn(town: Town) -> None:
    answer = drawn(town, "advance", ADVANCE + "Уборка;дорого;4;0\nОбед;1;;0\n")
    page = answer.content.decode()
    assert answer.status_code == 400 and events() == []
    assert "ноябрь.csv" in page and "дорого" in page and "is not a number" in page and "must not be empty" in page
    assert "<code>planned_volume</code>" in page
    assert drawn(town, "advance").status_code == 400


def test_the_compensation_of_judged_claims_pays_what_was_decided(town: Town) -> None:
    recipient = Recipient.objects.get(code="R1")
    FeeReport.objects.create(
        claim=town.claim, recipient=recipient, collected_minor=50000, recorded_at=town.run.recorded_at
    )
    found = cells(drawn(town, "compensation"))
    first = next(place for place, row in enumerate(found) if row[:3] == ("1", "2", "3")) + 1
    assert found[first][0] == "Получатель R1"
    rows = [row for row in found[first + 1 :] if isinstance(row[0], int)]
    payable = Remittance.objects.filter(claim=town.claim).aggregate(sum=Sum("payable"))["sum"]
    fee = Remittance.objects.filter(claim=town.claim).aggregate(sum=Sum("fee"))["sum"]
    assert round(sum(row[-1] for row in rows) * 100) == payable > 0
    assert round(sum(row[8] for row in rows) * 100) == fee > 0 and sum(row[7] for row in rows) == 500
    assert sum(row[5] for row in rows) == 22.5 and rows[0][3] == 30
    (event,) = events()
    assert event.data["recipients"] == 1 and "R1" not in json.dumps(event.data)
    assert f"settlement.claim:{town.claim.pk}" in event.objects_touched


def test_without_a_decision_there_is_no_compensation(town: Town) -> None:
    Claim.objects.filter(pk=town.claim.pk).update(period=date(2025, 10, 1))
    answer = drawn(town, "compensation")
    assert answer.status_code == 400 and "Nothing has been decided" in answer.content.decode() and events() == []


def test_forms_are_for_finance_and_their_own_law(town: Town) -> None:
    pages = [url("forms"), *(url(name, "order") for name in ("form_draw", "form_template"))]
    for who in ("halyna", "ivan"):
        assert [town.browser(who).get(page).status_code for page in pages] == [200] * 3
    for who in ("nadiia", "sofiia", "outsider"):
        assert [town.browser(who).get(page).status_code for page in pages] == [403] * 3
    assert town.browser("halyna").get(url("form_draw", "nothing")).status_code == 404
    town.organisation.jurisdiction = "UA"
    town.organisation.save()
    assert [town.browser("halyna").get(page).status_code for page in pages] == [200, 409, 409]
    assert drawn(town, "advance", ADVANCE).status_code == 409 and events() == []


def test_the_list_leads_to_forms_and_papers(town: Town, django_assert_max_num_queries: Any) -> None:
    browser = town.browser("halyna")
    for number in range(5):
        Claim.objects.create(
            organisation=town.organisation, number=f"B-{number}", provider=town.claim.provider, status="submitted",
            period=date(2025, 11, 1), recorded_at=town.run.recorded_at,
        )  # fmt: skip
    with django_assert_max_num_queries(14):
        page = browser.get(url("forms")).content.decode()
    assert url("form_draw", "compensation") in page and url("claim_act_xlsx", town.claim.pk) in page
    assert "B-4" in page and "B-4" not in browser.get(url("forms") + "?q=A-1").content.decode()
    claim = browser.get(url("claim", town.claim.pk)).content.decode()
    assert f"{url('form_draw', 'compensation')}?provider={town.claim.provider_id}&amp;period=2025-11" in claim
    assert browser.get(url("form_template", "time")).content.decode().lstrip("\ufeff").startswith("recipient,service,")


def run(form: str, *more: str, out: Path) -> str:
    told = io.StringIO()
    call_command("settlement_form", form, *more, "--out", str(out), stdout=told)
    return told.getvalue()


def test_the_command_draws_the_same(town: Town, tmp_path: Path) -> None:
    sheet = tmp_path / "in.csv"
    sheet.write_text(ADVANCE, encoding="utf-8")
    month = ("--provider", "P1", "--period", "2025-11")
    assert "1" in run("advance", *month, "--inputs", str(sheet), "--as", "halyna", out=tmp_path / "a.xlsx")
    assert (1, "Помощь", 143.54, 12, 1722.48, 500, 1222.48) in list(
        load_workbook(tmp_path / "a.xlsx").worksheets[0].iter_rows(values_only=True)
    )
    run("compensation", "--claim", "A-1", out=tmp_path / "c.pdf")
    run("act", "--claim", "A-1", out=tmp_path / "act.pdf")
    assert all((tmp_path / name).read_bytes().startswith(b"%PDF") for name in ("c.pdf", "act.pdf"))
    assert [(event.actor, event.data["form"]) for event in events()] == [
        ("halyna", "advance"),
        ("system", "compensation"),
    ]


@pytest.mark.parametrize(
    ("form", "more", "out"),
    [
        ("act", (), "a.pdf"),
        ("act", ("--claim", "nothing"), "a.pdf"),
        ("order", ("--provider", "P1", "--period", "2025-11"), "a.pdf"),
        ("order", ("--provider", "P1"), "a.pdf"),
        ("order", ("--provider", "nobody", "--period", "2025-11"), "a.pdf"),
        ("act", ("--claim", "A-1"), "a.doc"),
    ],
)
def test_the_command_says_what_it_misses(
    town: Town, tmp_path: Path, form: str, more: tuple[str, ...], out: str
) -> None:
    with pytest.raises(CommandError):
        run(form, *more, out=tmp_path / out)
    assert not (tmp_path / out).exists() and events() == []


def test_the_command_reports_every_wrong_cell(town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "in.csv"
    sheet.write_text(ADVANCE + "Уборка;дорого;4;0\n", encoding="utf-8")
    month = ("--provider", "P1", "--period", "2025-11", "--inputs", str(sheet))
    with pytest.raises(SystemExit) as ended:
        run("advance", *month, out=tmp_path / "a.pdf")
    told = capsys.readouterr().err
    assert ended.value.code == 1 and "in.csv\t3\ttariff\tдорого\t" in told and events() == []
    with pytest.raises(SystemExit):
        run("advance", *month, "--as", "nadiia", out=tmp_path / "a.pdf")
