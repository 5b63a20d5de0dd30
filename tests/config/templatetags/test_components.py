"""What the building blocks of pages say: tables, badges, calculation rows, pages of a list, the menu, the drawing."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation

from config.errors import DomainError
from config.explanations import Step
from config.roles import AUDITOR, FINANCE_MAKER, PERMISSIONS, PROVIDER, RECIPIENT, ROLE_TITLES, permissions_of
from config.statuses import STATUSES, label_of_status
from config.templatetags.components import figure, is_unverified, last_day, page_window
from config.templatetags.nav import MENU, menu
from config.templatetags.svg import road
from contracts.models.agreements import CONTRACT_STATES
from procurement.models.competitions import TENDER_STATES
from settlement.models.claims import CLAIM_STATES, Adjudication
from settlement.models.payments import PAYMENT_RUN_STATES, PAYMENT_STATES
from settlement.models.statements import LINE_STATES, STATEMENT_STATES
from vouchers.models.certificates import CERTIFICATE_STATES, REDEMPTION_STATES

TABLES = [
    CONTRACT_STATES,
    TENDER_STATES,
    CLAIM_STATES,
    PAYMENT_RUN_STATES,
    PAYMENT_STATES,
    LINE_STATES,
    STATEMENT_STATES,
    CERTIFICATE_STATES,
    REDEMPTION_STATES,
]


def _render(text: str, **values: Any) -> str:
    return Template(text).render(Context({"request": RequestFactory().get("/?q=a&page=2"), **values}))


def test_a_table_is_a_region_named_by_its_caption() -> None:
    html = _render('{% table caption="Claims" rows=rows %}<tbody></tbody>{% endtable %}', rows=[1])
    assert 'role="region"' in html
    assert 'tabindex="0"' in html
    assert '<caption id="part-1">Claims</caption>' in html
    assert 'aria-labelledby="part-1"' in html


def test_two_tables_of_a_page_have_two_names() -> None:
    one = '{% table caption="A" rows=rows %}{% endtable %}'
    html = _render(one + one, rows=[1])
    assert 'id="part-1"' in html
    assert 'id="part-2"' in html


def test_an_empty_table_says_what_to_do() -> None:
    html = _render('{% table caption="A" rows=rows empty="No claims." todo="Write one." %}x{% endtable %}', rows=[])
    assert "No claims." in html
    assert "Write one." in html
    assert "<table" not in html


def test_an_empty_table_without_a_sentence_is_nothing() -> None:
    assert _render('{% table caption="A" rows=rows %}x{% endtable %}', rows=[]).strip() == ""


def test_a_page_of_a_list_brings_its_pager_and_keeps_the_search() -> None:
    page = Paginator(range(60), 25).page(2)
    html = _render('{% table caption="A" rows=page %}{% endtable %}', page=page)
    assert "q=a" in html
    assert "page=3" in html
    assert 'aria-current="page">2<' in html
    assert page_window(Paginator(range(1000), 10), 50)[:3] == [1, 0, 48]


def test_text_of_a_badge_is_escaped() -> None:
    assert "<script>" not in _render("{% status code %}", code="<script>")


@pytest.mark.parametrize("table", TABLES)
def test_every_state_has_words(table: Any) -> None:
    assert set(table.states) <= set(STATUSES)


def test_every_outcome_has_words() -> None:
    assert {code for code, _title in Adjudication.OUTCOMES} <= set(STATUSES)


@pytest.mark.parametrize(
    ("value", "shown"),
    [("1520.00", "1 520,00"), ("0.1234", "0,1234"), ("-5", "−5"), ("NaN", "NaN"), ("", ""), (None, "")],
)
def test_stored_figures_in_the_readers_writing(value: Any, shown: str) -> None:
    with translation.override("uk"):
        assert figure(value).replace("\xa0", " ") == shown


def test_calculation_rows_show_formula_parameter_and_flag() -> None:
    steps = [
        Step("a", "Limit", "10.50", "UAH", "a × b", "fee.limit", "Act 1"),
        Step("b", "Other", "1", act="[unverified] Act 2"),
    ]
    html = _render('{% include "components/steps.html" with steps=steps caption="C" %}', steps=steps)
    assert "a × b" in html
    assert "fee.limit" in html
    assert html.count('class="flag"') == 1
    assert is_unverified({"parameter": "fee.limit"}, {"fee.limit"})


def test_the_last_day_is_what_people_say() -> None:
    assert last_day(date(2025, 12, 1)) == date(2025, 11, 30)
    assert last_day(None) is None


def test_the_error_summary_leads_to_the_field() -> None:
    from django import forms

    class Form(forms.Form):
        units = forms.IntegerField(label="Units")

    html = _render('{% include "components/error_summary.html" %}', form=Form({}))
    assert 'href="#id_units"' in html
    assert 'role="alert"' in html


@pytest.mark.django_db
def test_a_refusal_links_the_record_to_look_at_for_those_who_may() -> None:
    refusal = DomainError()
    refusal.about = "contracts.normcost:5"
    summary = '{% include "components/error_summary.html" with form=None %}'
    assert 'href="/contracts/norms/5/"' in _render(summary, refusal=refusal, may={"norms.view"})
    assert "href" not in _render(summary, refusal=refusal, may=set())
    assert "href" not in _render(summary, refusal=DomainError(), may={"norms.view"})


def test_a_menu_shows_what_a_role_may_open_and_marks_one_place() -> None:
    for role in ROLE_TITLES:
        context = {"request": RequestFactory().get("/contracts/norms/5/"), "may": permissions_of({role})}
        lines = [line for group in menu(Context(context))["groups"] for line in group["items"]]
        assert all(line["url"] for line in lines)
        assert sum(bool(line["here"]) for line in lines) <= 1
    assert menu(Context({"request": RequestFactory().get("/"), "may": frozenset()}))["groups"] == []


@pytest.mark.parametrize(
    ("role", "path", "title"),
    [
        (RECIPIENT, "/settlement/fees/5/", "What I pay"),
        (RECIPIENT, "/settlement/fees-anew/mine/5/", "Corrections of past months"),
        (FINANCE_MAKER, "/settlement/fees/5/", "Recipients' fees"),
        (FINANCE_MAKER, "/settlement/statement-lines/5/divide/", "Bank statements"),
        (PROVIDER, "/settlement/claim-lines/5/", "Claims"),
        (AUDITOR, "/settlement/books/trial-balance/", "Trial balance"),
        (AUDITOR, "/settlement/books/entries/5/", "Ledger"),
        (AUDITOR, "/no-such-page/", None),
    ],
)
def test_the_page_of_a_paper_marks_its_line(role: str, path: str, title: str | None) -> None:
    with translation.override("en"):
        groups = menu(Context({"request": RequestFactory().get(path), "may": permissions_of({role})}))["groups"]
        here = [str(line["title"]) for group in groups for line in group["items"] if line["here"]]
    assert here == ([title] if title else [])


def test_every_line_of_the_menu_names_known_permissions() -> None:
    named = {permission for _title, items in MENU for item in items for permission in item.permissions}
    assert named <= set(PERMISSIONS)


def _level(**values: Any) -> SimpleNamespace:
    node = SimpleNamespace(name="N" * 60, title="T", status="paid", on_date=None, amount=100, url="/x/", is_start=False)
    base = {"title": "Claim", "total": 100, "difference": 0, "off": 0, "reason": "", "nodes": [node] * 5, "count": 9}
    return SimpleNamespace(**{**base, **values})


def test_the_drawing_counts_what_it_leaves_out_and_names_differences() -> None:
    reason = "not paid yet, as the days of grace of the payment run are not over"
    trail = SimpleNamespace(levels=[_level(), _level(difference=-40, reason=reason)], currency="UAH")
    bands = road(Context(), trail, "t", "d")["bands"]
    assert len(bands[0].boxes) == 4
    assert "6" in bands[0].boxes[-1].name
    assert " ".join(bands[1].warning).endswith(reason)
    assert all(len(line) <= 40 for line in bands[1].warning)
    assert [y for y, _words in bands[1].notes] == sorted(y for y, _words in bands[1].notes)
    assert bands[1].y < bands[1].notes[0][0] and bands[1].notes[-1][0] < bands[1].boxes[0].y
    assert bands[1].y >= bands[0].y + bands[0].height
    assert all(len(box.name) <= 24 for box in bands[0].boxes)


def test_an_unknown_state_is_shown_as_it_is() -> None:
    assert label_of_status("unheard") == "unheard"
