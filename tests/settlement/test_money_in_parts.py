"""Follow the money of a claim that is paid in parts: every record passes on what it has, run by run, to the kopiyka."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.audit.actors import SYSTEM
from config.audit.recording import label_of
from contracts.models import BudgetEntry, BudgetLine, Contract
from settlement.actions.bank_lines import match_line
from settlement.actions.claims import reverse_claim
from settlement.actions.reconciliation import import_statement
from settlement.models import ClaimLine, Payment, PaymentRun, StatementLine
from settlement.money_trail import MoneyTrail, Node, money_trail
from tests.settlement.actions.month import AT, judge, the_claim
from tests.settlement.actions.paid import bank_file
from tests.settlement.actions.parts import Office, half_waiting, open_office
from tests.settlement.actions.told import told
from vouchers.models import Certificate

pytestmark = pytest.mark.django_db

HALF = 14_250


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return open_office(half_waiting(), tmp_path)


def pay(office: Office) -> Payment:
    run: PaymentRun = office.pay()
    bank_file(run, AT)
    return run.payments.get()


def bank_says(office: Office, payment: Payment, day: int, opening: str, amount: str) -> None:
    """A statement of a day with one movement, which a person matches to the payment."""
    import_statement(
        organisation=office.organisation,
        name="s.xml",
        content=told(f"2025-12-{day}", opening, amount, sequence=day, iban=office.organisation.iban),
        actor=office.maker,
        at=AT,
    )
    for line in StatementLine.objects.filter(status="unmatched"):
        match_line(
            organisation=office.organisation, line_id=line.pk, payment_ids=[payment.pk], reason="виписка",
            actor=office.maker, at=AT,
        )  # fmt: skip


def stages(office: Office) -> Iterator[str]:
    """The life of the claim; after each step the road must hold."""
    yield "adjudicated, one line waits"
    first = pay(office)
    yield "sent to the bank"
    bank_says(office, first, 12, "1000.00", "-142.50")
    yield "first part paid"
    office.clear()
    yield "second part allowed"
    second = pay(office)
    bank_says(office, second, 15, "857.50", "-142.50")
    yield "second part paid"
    bank_says(office, second, 16, "715.00", "142.50")
    yield "second payment came back"
    Payment.objects.update(iban="UA973052990000026001234567801")  # the provider has another account since
    again = pay(office)
    bank_says(office, again, 17, "857.50", "-142.50")
    yield "paid again"


def played(office: Office) -> None:
    for _stage in stages(office):
        pass


def trail_of(office: Office, start: str, pk: int) -> MoneyTrail:
    return money_trail(organisation=office.organisation, start=start, pk=pk)


def every_start() -> list[tuple[str, int]]:
    rows = {
        "budget_line": BudgetLine,
        "contract": Contract,
        "certificate": Certificate,
        "claim_line": ClaimLine,
        "payment": Payment,
        "statement_line": StatementLine,
    }
    return [("claim", the_claim().pk)] + [
        (start, pk) for start, model in rows.items() for pk in model._base_manager.values_list("pk", flat=True)
    ]


def nodes(trail: MoneyTrail, level: str) -> list[Node]:
    return next(found.nodes for found in trail.levels if found.key == level)


def assert_holds(trail: MoneyTrail) -> None:
    """For every record: what came in = its money = what went on and what stays; flows are the same from both ends."""
    flowing = [level for level in trail.levels if level.flows]
    for before, after in pairwise(flowing):
        for node in before.nodes:
            assert node.went_on + sum(stay.amount for stay in node.stays) == node.amount, (trail.start, node)
            assert sum(flow.amount for flow in node.targets) == node.went_on
        for node in after.nodes:
            assert sum(flow.amount for flow in node.sources) == node.came_in == node.amount, (trail.start, node)
        given = sorted((node.label, flow.label, flow.amount) for node in before.nodes for flow in node.targets)
        assert given == sorted((flow.label, node.label, flow.amount) for node in after.nodes for flow in node.sources)
        stays = sum(stay.amount for node in before.nodes for stay in node.stays)
        assert before.total - stays == after.total
    for node in [*nodes(trail, "claim_line"), *nodes(trail, "claim")]:
        assert node.claimed == node.amount + sum(part.amount for part in node.taken_off)
    assert not any(node.gap or node.off for level in flowing for node in level.nodes)


def test_every_record_passes_on_what_it_has_at_every_stage_from_every_start(office: Office) -> None:
    seen = []
    for stage in stages(office):
        seen.append(stage)
        for start, pk in every_start():
            assert_holds(trail_of(office, start, pk))
    assert len(seen) == 7


def test_a_claim_paid_in_parts_shows_each_run_with_its_own_money(office: Office) -> None:
    played(office)
    trail = trail_of(office, "claim", the_claim().pk)
    assert (trail.claimed, trail.payable, trail.waiting) == (2 * HALF, 2 * HALF, 0)  # claimed once, judged twice
    parts = [(node.name, node.amount, node.own) for node in nodes(trail, "settlement")]
    assert sorted(parts) == [("A-1 · 2025-11/1", HALF, HALF), ("A-1 · 2025-11/2", HALF, HALF)]
    assert [node.own for node in nodes(trail, "posting")] == [HALF, HALF]
    assert trail.agrees


def test_a_returned_and_repeated_payment_shows_both_movements(office: Office) -> None:
    played(office)
    line = ClaimLine.objects.get(line=1)
    trail = trail_of(office, "claim_line", line.pk)
    found = {node.status: node for node in nodes(trail, "payment")}
    assert set(found) == {"confirmed", "returned"}
    returned = found["returned"]
    assert (returned.amount, returned.own) == (0, HALF)
    assert [(flow.amount, flow.returned) for flow in returned.sources] == [(HALF, False), (-HALF, True)]
    assert [(flow.amount, flow.returned) for flow in returned.targets] == [(HALF, False), (-HALF, True)]
    bank = sorted((node.on_date, node.amount, node.own) for node in nodes(trail, "bank"))
    assert bank == [
        (date(2025, 12, 15), HALF, -HALF),
        (date(2025, 12, 16), -HALF, HALF),
        (date(2025, 12, 17), HALF, -HALF),
    ]
    assert trail.agrees


def test_a_part_of_one_run_is_not_mixed_with_the_other(office: Office) -> None:
    """Line 2 was paid by the first run alone: the road of its money knows nothing of the second."""
    played(office)
    trail = trail_of(office, "claim_line", ClaimLine.objects.get(line=2).pk)
    assert [len(nodes(trail, level)) for level in ("settlement", "posting", "payment", "bank")] == [1, 1, 1, 1]
    assert nodes(trail, "bank")[0].on_date == date(2025, 12, 12)


def test_bank_records_bear_the_banks_own_reference(office: Office) -> None:
    played(office)
    names = {node.name for node in nodes(trail_of(office, "claim", the_claim().pk), "bank")}
    assert names == {"REF1"}
    assert not names & set(Payment.objects.values_list("reference", flat=True))


def test_what_waits_and_what_is_unpaid_is_named(office: Office) -> None:
    trail = trail_of(office, "claim", the_claim().pk)
    assert (trail.claimed, trail.payable, trail.waiting) == (2 * HALF, HALF, HALF)
    (claim,), (posting,) = nodes(trail, "claim"), nodes(trail, "posting")
    assert [part.amount for part in claim.taken_off] == [HALF]
    assert [part.amount for part in posting.stays] == [HALF]
    pay(office)
    (payment,) = nodes(trail_of(office, "claim", the_claim().pk), "payment")
    assert [part.amount for part in payment.stays] == [HALF]


def test_a_line_shows_what_is_set_aside_on_itself(office: Office) -> None:
    """Certificates of one line are used under contracts of another, which has promises of its own."""
    line = BudgetLine.objects.get()
    other = BudgetLine.objects.create(
        organisation=office.organisation, code="B-GRANT", name="Грант", year=line.year, amount=line.amount
    )
    certificate, contract = Certificate.objects.get(), Contract.objects.get()
    for kind, owner, amount in (("commitment", other, 100_000), ("reservation", line, 500)):
        label = label_of(contract if kind == "commitment" else certificate)
        BudgetEntry.objects.create(
            budget_line=owner, kind=kind, amount_minor=amount, label=label, occurred_on=AT.date(), recorded_at=AT
        )
    mine = BudgetEntry.objects.filter(budget_line=line).exclude(kind="spending")
    shown = nodes(trail_of(office, "budget_line", line.pk), "set_aside")
    assert sum(row.amount for row in shown) == sum(mine.values_list("amount_minor", flat=True))
    both = [row.name for row in nodes(trail_of(office, "contract", contract.pk), "set_aside")]
    assert len(both) == 2


def test_a_reversal_leaves_nothing_and_still_adds_up(office: Office) -> None:
    played(office)
    reverse_claim(organisation=office.organisation, claim_id=the_claim().pk, reason="двічі подано", actor=SYSTEM, at=AT)
    judge(office.organisation)
    trail = trail_of(office, "claim", the_claim().pk)
    assert_holds(trail)
    assert (trail.claimed, trail.payable) == (0, 0)
    assert sorted(node.amount for node in nodes(trail, "settlement"))[-2:] == [HALF, HALF]


def test_a_payment_without_its_bank_line_does_not_add_up(office: Office) -> None:
    payment = pay(office)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        Payment._base_manager.filter(pk=payment.pk).update(status="confirmed")
        cursor.execute("SET session_replication_role = DEFAULT")
    trail = trail_of(office, "claim", the_claim().pk)
    assert nodes(trail, "payment")[0].gap == HALF
    assert not trail.agrees


def test_the_page_and_the_json_say_the_same(office: Office) -> None:
    played(office)
    client = Client()
    client.force_login(office.users["halyna"], backend="django.contrib.auth.backends.ModelBackend")
    address = f"/money/claim/{the_claim().pk}/"
    with CaptureQueriesContext(connection) as few:
        answer = client.get(address, {"format": "json"}).json()
    trail = trail_of(office, "claim", the_claim().pk)
    assert [level["nodes"] for level in answer["levels"]] == [
        [{**node, "on_date": node["on_date"] and node["on_date"].isoformat()} for node in level["nodes"]]
        for level in trail.as_json()["levels"]
    ]
    page = client.get(address).content.decode()
    for node in nodes(trail, "payment"):
        assert all(flow.name in page for flow in [*node.sources, *node.targets])
    assert len(few) < 15
