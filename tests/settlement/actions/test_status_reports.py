from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from config.accounts.models import Organisation, User
from settlement.actions.bank_lines import undo_match
from settlement.actions.reconciliation import import_statement
from settlement.actions.status_reports import Answered, OrderUnknown, ReportUnreadable, import_status_report
from settlement.gateways.simulated_bank import answer_payment_file
from settlement.models import Match, PaymentRun
from tests.settlement.actions.paid import bank_file, released_run
from tests.settlement.actions.payables import adjudicated, ready

pytestmark = pytest.mark.django_db(transaction=True)
Cast = dict[str, User]


@pytest.fixture
def run(organisation: Organisation, cast: Cast, at: datetime) -> PaymentRun:
    ready(at)
    adjudicated(organisation, at, (1, 24200), (2, 152000))
    return released_run(organisation, cast, at)


def report(run: PaymentRun, *payments: tuple[str, str], group: str = "PART", version: str = "12") -> bytes:
    rows = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>{status}</TxSts>"
        "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf></TxInfAndSts>"
        for reference, status in payments
    )
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}"><CstmrPmtStsRpt>'
        f"<GrpHdr><MsgId>R1</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{run.message_id}</OrgnlMsgId>"
        f"<GrpSts>{group}</GrpSts></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>{run.message_id}-1"
        f"</OrgnlPmtInfId>{rows}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    ).encode()


def bring(run: PaymentRun, content: bytes, cast: Cast, at: datetime) -> Answered:
    actor = cast["halyna"].as_actor()
    return import_status_report(organisation=run.organisation, name="p.xml", content=content, actor=actor, at=at)


def states(run: PaymentRun) -> list[str]:
    return list(run.payments.order_by("provider__code").values_list("status", flat=True))


@pytest.mark.parametrize("version", ["03", "12"])
def test_taken_and_refused(run: PaymentRun, cast: Cast, at: datetime, version: str) -> None:
    first, second = run.payments.order_by("provider__code")
    content = report(run, (first.reference, "ACSP"), (second.reference, "RJCT"), version=version)
    answered = bring(run, content, cast, at)
    assert (answered.taken, answered.refused, answered.contradicted) == (1, 1, 0)
    assert states(run) == ["sent", "failed"] and not second.items.get().live
    again = bring(run, content, cast, at)
    assert again.repeated and states(run) == ["sent", "failed"]


def test_the_whole_file_refused(run: PaymentRun, cast: Cast, at: datetime) -> None:
    assert bring(run, report(run, group="RJCT"), cast, at).refused == 2
    run.refresh_from_db()
    assert states(run) == ["failed", "failed"] and run.status == "closed"


def test_only_a_statement_confirms_and_money_that_moved_is_not_unsaid(
    run: PaymentRun, cast: Cast, at: datetime
) -> None:
    bring(run, report(run, group="ACSC"), cast, at)
    assert states(run) == ["sent", "sent"]
    content, actor = answer_payment_file(bank_file(run, at)), cast["halyna"].as_actor()
    import_statement(organisation=run.organisation, name="s.xml", content=content, actor=actor, at=at)
    before = states(run)
    assert bring(run, report(run, group="RJCT"), cast, at).contradicted == 2
    assert states(run) == before


def test_a_payment_whose_match_was_undone_can_be_refused(run: PaymentRun, cast: Cast, at: datetime) -> None:
    bring(run, report(run, group="ACSC"), cast, at)
    content, actor = answer_payment_file(bank_file(run, at)), cast["halyna"].as_actor()
    import_statement(organisation=run.organisation, name="s.xml", content=content, actor=actor, at=at)
    match = Match.objects.filter(payment__status="confirmed").first()
    assert match is not None
    said: dict[str, Any] = {"organisation": run.organisation, "actor": cast["ivan"].as_actor(), "at": at}
    undo_match(match_id=match.pk, reason="не той рядок", **said)
    answered = bring(run, report(run, (match.payment.reference, "RJCT")), cast, at)
    match.payment.refresh_from_db()
    assert (answered.refused, answered.contradicted, match.payment.status) == (1, 0, "failed")


def test_refusals(run: PaymentRun, other_organisation: Organisation, cast: Cast, at: datetime) -> None:
    with pytest.raises(ReportUnreadable):
        bring(run, b"<Document/>", cast, at)
    content = report(run, group="RJCT")
    with pytest.raises(OrderUnknown):
        bring(run, content.replace(run.message_id.encode(), b"PR-OTHER"), cast, at)
    run.organisation = other_organisation
    with pytest.raises(OrderUnknown):
        bring(run, content, cast, at)
    assert states(run) == ["prepared", "prepared"]
