"""The road of advances: from the budget line to the bank and back, whichever record it is asked of."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from settlement.actions.line_parts import repay_advance_with_line
from settlement.actions.undone_lines import undo_advance_return
from settlement.models import Advance, AdvanceReturn, Claim, Payment, StatementLine
from settlement.money_trail import MoneyTrail, Node, money_trail, starts_numbered
from tests.settlement.actions.advance_town import AdvanceTown, advance_town
from tests.settlement.actions.clawback_town import LATER

pytestmark = pytest.mark.django_db(transaction=True)
BACK = 1000


@pytest.fixture
def town(tmp_path: Path) -> AdvanceTown:
    """A-2 and A-3 use 250.00 of what P1 was paid before; of a second advance 50.00 are used up with it."""
    with translation.override("en"):
        town = advance_town(tmp_path)
        town.paid()
        return town


def asked(town: AdvanceTown, start: str, pk: int) -> MoneyTrail:
    with translation.override("en"):
        return money_trail(organisation=town.office, start=start, pk=pk)


def node(trail: MoneyTrail, level: str, place: int = 0) -> Node:
    return next(found for found in trail.levels if found.key == level).nodes[place]


def beside(found: Node) -> tuple[list[tuple[str, int, bool]], list[tuple[str, int, bool]]]:
    into, out = ([(row.name, row.amount, row.returned) for row in rows] for rows in (found.beside_in, found.beside_out))
    return into, out


def returned(town: AdvanceTown, row: Advance) -> StatementLine:
    """The bank line with which a part of the advance came back."""
    line = town.receive((BACK, "без номера"), at=LATER).lines.get()
    repay_advance_with_line(line_id=line.pk, advance=row.number, **town.who("ivan", LATER))
    return line


def test_an_unused_advance_leads_from_the_budget_line_to_the_bank_and_back(town: AdvanceTown) -> None:
    row, payment = Advance.objects.get(), Payment.objects.get(advance_items__isnull=False)
    paid_by, back = StatementLine.objects.get(matches__payment=payment), returned(town, row)
    line = row.budget_line
    for start, pk in (
        ("budget_line", line.pk), ("contract", row.contract_id), ("advance", row.pk), ("payment", payment.pk),
        ("statement_line", paid_by.pk), ("statement_line", back.pk),
    ):  # fmt: skip
        trail = asked(town, start, pk)
        found = node(trail, "advance")
        assert (found.name, found.own, found.amount, found.status) == (row.number, 20000, 0, "paid")
        into, out = beside(found)
        assert into == [(f"{line.code} {line.year}", 20000, False)]
        assert [each[1:] for each in out] == [(20000, False), (-BACK, True)]
        assert out[0][0] == payment.reference
        assert [(rest.name, rest.amount) for rest in found.stays] == [("not used and not returned yet", 20000 - BACK)]
        numbers = {each.label for level in trail.levels for each in level.nodes}
        assert {f"settlement.payment:{payment.pk}", f"settlement.statementline:{paid_by.pk}"} <= numbers
        assert f"settlement.statementline:{back.pk}" in numbers and f"contracts.budgetline:{line.pk}" in numbers
        assert found.follow == ("" if start == "advance" else f"/money/advance/{row.pk}/")
        assert all(each.gap == 0 and each.off == 0 for level in trail.levels for each in level.nodes)
    who = town.who("ivan", LATER)
    undo_advance_return(return_id=AdvanceReturn.objects.get().pk, reason="інший платіж", **who)
    assert all(level.key != "advance" for level in asked(town, "statement_line", back.pk).levels)
    assert [each[1] for each in beside(node(asked(town, "advance", row.pk), "advance"))[1]] == [20000]


def test_a_claim_says_what_was_paid_in_advance_and_the_advance_says_what_used_it(town: AdvanceTown) -> None:
    row = Advance.objects.get()
    town.december()
    claim = Claim.objects.get(number="A-2")
    trail = asked(town, "claim", claim.pk)
    assert (trail.payable, trail.agrees) == (14250, False), "no level of payments carries what was paid before"
    entry, settled, found = (node(trail, level) for level in ("posting", "settlement", "advance"))
    assert [(rest.name, rest.amount) for rest in entry.stays if rest.amount] == [("paid in advance", 14250)]
    assert beside(settled)[0] == [(row.number, 14250, False)] and (found.amount, found.own) == (14250, 20000)
    assert entry.gap == settled.gap == 0
    whole = asked(town, "advance", row.pk)
    used = [(name, amount) for name, amount, _back in beside(node(whole, "advance"))[1] if "A-" in name]
    assert [amount for _name, amount in used] == [14250, 5750]
    assert node(whole, "advance").stays == []


def test_one_query_whatever_hangs_on_it(town: AdvanceTown, django_assert_num_queries: object) -> None:
    row = Advance.objects.get()
    for _round in range(2):
        with django_assert_num_queries(1):  # type: ignore[operator]
            asked(town, "advance", row.pk)
        returned(town, row)


def test_pages_lead_there_and_other_offices_find_nothing(town: AdvanceTown, client: Client) -> None:
    row = Advance.objects.get()
    back = returned(town, row)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    client.force_login(town.cast["halyna"])
    assert f"/money/advance/{row.pk}/" in client.get(f"/settlement/advances/{row.pk}/").content.decode()
    assert client.get("/money/", {"q": row.number}).headers["Location"] == f"/money/advance/{row.pk}/"
    page = client.get(f"/money/statement_line/{back.pk}/").content.decode()
    assert "none of our payments" not in page and "not used and not returned yet" in page
    assert "Paid in advance on this road" in page and f'<a href="/money/advance/{row.pk}/">{row.number}</a>' in page
    client.force_login(town.cast["outsider"])
    assert client.get(f"/money/advance/{row.pk}/").status_code in (403, 404)
    assert starts_numbered(row.organisation, "ADV-0") == []
