"""A project contest with the application of seed 002: refused, corrected, scored, awarded, agreed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils.translation import override

from config.periods import add_months
from contracts.actions.agreements import AgreedMilestone
from contracts.actions.budgets import BudgetExceeded, amend_budget_line
from contracts.actions.register import NotForProvider
from contracts.queries import set_aside_minor
from procurement.actions import applications, awards, bids, evaluation
from procurement.actions.application_checks import check_application
from procurement.models import Bid, Tender
from tests.road import AFTER_STANDSTILL, ANNEXES, OPENING, PUBLISHED, SCORED, Road, seed_application
from tests.trail import trail_for

pytestmark = pytest.mark.django_db

DAY = PUBLISHED + timedelta(days=10)
MILESTONES = [
    AgreedMilestone("start", "Початок", date(2025, 4, 15), Decimal("650000.00")),
    AgreedMilestone("middle", "Проміжний звіт", date(2025, 10, 1), Decimal("650000.00")),
    AgreedMilestone("final", "Заключний звіт", date(2026, 4, 30)),
]


def save(road: Road, tender: Tender, **changes: object) -> Bid:
    values = {"draft": seed_application(), "bid": None, "corrects": None} | changes
    return applications.save_application(
        tender=tender,
        provider=road.provider("A", "nadiia"),
        actor=road.actor("nadiia"),
        at=DAY,
        **values,  # type: ignore[arg-type]
    )


def test_only_people_of_the_applicant_write_its_application(road: Road) -> None:
    tender = road.publish(road.draft_contest())
    bid = save(road, tender)
    document = {"document": ANNEXES[0], "filename": "x.pdf", "content": b"x", "content_type": "application/pdf"}
    stranger = {"actor": road.actor("taras"), "at": DAY}
    for call in (
        lambda: applications.save_application(
            tender=tender, provider=bid.provider, draft=seed_application(), **stranger
        ),
        lambda: applications.attach_document(bid=bid, **document, **stranger),  # type: ignore[arg-type]
        lambda: applications.submit_application(bid=bid, **stranger),
    ):
        with pytest.raises(NotForProvider):
            call()
    assert not bid.documents.filter(present=True).exists()


def attach_all(road: Road, bid: Bid) -> None:
    for code in ANNEXES:
        applications.attach_document(
            bid=bid,
            document=code,
            filename=f"{code}.pdf",
            content=code.encode(),
            content_type="application/pdf",
            actor=road.actor("nadiia"),
            at=DAY,
        )


def submit(road: Road, bid: Bid) -> Bid:
    return applications.submit_application(bid=bid, actor=road.actor("nadiia"), at=DAY)


def corrected(road: Road, tender: Tender) -> Bid:
    bid = save(road, tender, draft=seed_application(correction=Decimal(30000)))
    attach_all(road, bid)
    return submit(road, bid)


def test_draft_keeps_the_findings_of_rulebook_8(road: Road) -> None:
    bid = save(road, road.publish(road.draft_contest()))
    found = [(row.severity, row.text) for row in bid.findings.order_by("position")]
    assert found[:8] == [
        ("block", "BUDGET_ITEMS_NE_TOTAL declared=3168.00 items=3138.00 diff=30.00"),
        ("block", "SOURCES_NE_ITEMS sources=3168.00 items=3138.00 diff=30.00"),
        ("info", "SHARE_ROUNDED source=Грант конкурсу declared=41.03 computed=41.03"),
        ("warn", "EARMARK_DIFF source=Учасник конкурсу contribution=268.00 items=267.75 diff=0.25"),
        ("warn", "SOURCE_CONDITIONAL source=Учасник конкурсу amount=268.00"),
        ("warn", "PLAN_ORDER block=5 before=4-12"),
        ("warn", "LIST_GAP numbers=8,9"),
        ("warn", "PARTNERS_DIFF declared=3 listed=4"),
    ]
    assert [row.split(" ")[0] for _severity, row in found[8:]] == ["ATTACHMENT_MISSING"] * 6
    shares = check_application(bid).source_shares
    assert [str(share) for share in shares] == ["41.03", "3.16", "8.46", "47.35"]


def test_submission_is_refused_with_the_findings(road: Road) -> None:
    bid = save(road, road.publish(road.draft_contest()))
    with pytest.raises(applications.ApplicationBlocked) as refusal:
        submit(road, bid)
    assert refusal.value.params["lines"][0] == "BUDGET_ITEMS_NE_TOTAL declared=3168.00 items=3138.00 diff=30.00"
    bid.refresh_from_db()
    assert bid.status == "draft" and bid.findings.filter(severity="block").count() == 8
    told = trail_for(bid).get(action="application.refused")
    assert told.data["findings"] == ["BUDGET_ITEMS_NE_TOTAL", "SOURCES_NE_ITEMS", "ATTACHMENT_MISSING"]
    assert not trail_for(bid).filter(action="application.submitted").exists()


def test_refusal_speaks_the_language_of_the_reader(road: Road) -> None:
    bid = save(road, road.publish(road.draft_contest()))
    with override("uk"), pytest.raises(applications.ApplicationBlocked) as refusal:
        submit(road, bid)
    with override("uk"):
        said = refusal.value.sentence
    assert "Загальний бюджет заявлено 3\xa0168,00, а статті видатків разом дають 3\xa0138,00: різниця 30,00" in said
    assert "declared=" not in said and "BUDGET_ITEMS_NE_TOTAL" in said


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"declared_item_count": 8}, "ITEM_COUNT declared=8 items=7"),
        ({"last_page_referred": 50}, "PAGES_DIFF declared=42 referred=50"),
        (
            {"kpis": [applications.KpiDraft("o", "Офіси", Decimal(20), Decimal(50), stated_target=Decimal(60))]},
            "KPI_NE_PLAN indicator=Офіси stated=20.00-60.00",
        ),
        (
            {"sources": [applications.SourceDraft("grant", "Грант", Decimal(99000000))]},
            "GRANT_ABOVE_CAP grant=99000.00 cap=1500.00",
        ),
    ],
)
def test_what_the_text_declares_is_compared(road: Road, changes: dict[str, object], line: str) -> None:
    draft = replace(seed_application(), **changes)  # type: ignore[arg-type]
    bid = save(road, road.publish(road.draft_contest()), draft=draft)
    assert ("warn", line) in [(row.severity, row.text) for row in bid.findings.all()]


def opened(road: Road, **changes: object) -> Bid:
    provider = road.provider("A")
    provider.registered_on = changes.pop("registered_on", None)  # type: ignore[assignment]
    provider.save(update_fields=["registered_on"])
    tender = road.publish(road.draft_contest())
    draft = replace(seed_application(correction=Decimal(30000)), **changes)  # type: ignore[arg-type]
    bid = save(road, tender, draft=draft)
    attach_all(road, bid)
    submit(road, bid)
    road.open_with_declarations(tender)
    bid.refresh_from_db()
    return bid


def proven(bid: Bid) -> list[str]:
    return [row.code for row in bid.findings.filter(code__startswith="PRC-REJ")]


def test_applicant_registered_long_enough_is_admitted(road: Road) -> None:
    bid = opened(road, registered_on=add_months(PUBLISHED.date(), -6))
    assert proven(bid) == []
    assert bids.admit_bid(bid=bid, actor=road.actor("bohdan"), at=OPENING).status == "valid"


def test_applicant_registered_too_late_is_not_admitted(road: Road) -> None:
    bid = opened(road, registered_on=add_months(PUBLISHED.date(), -6) + timedelta(days=1))
    assert proven(bid) == ["PRC-REJ-13"]
    with pytest.raises(bids.BidHasGrounds):
        bids.admit_bid(bid=bid, actor=road.actor("bohdan"), at=OPENING)


def test_cofinancing_just_below_the_minimum_is_not_admitted(road: Road) -> None:
    """14.9999 percent: a rounded share would pass."""
    sources = [
        applications.SourceDraft("grant", "Грант", Decimal("2692803.17")),
        applications.SourceDraft("own", "Місто", Decimal("475196.83")),
    ]
    bid = opened(road, sources=sources)
    assert proven(bid) == ["PRC-REJ-11"]


def test_corrected_copy_is_accepted_with_its_warnings(road: Road) -> None:
    tender = road.publish(road.draft_contest())
    first = save(road, tender)
    attach_all(road, first)
    copy = save(road, tender, draft=seed_application(correction=Decimal(30000)), corrects=first)
    assert [row.severity for row in copy.findings.order_by("position")] == ["info", *["warn"] * 5]
    submitted = submit(road, copy)
    assert (submitted.status, submitted.number, submitted.corrects) == ("submitted", 1, first)
    assert submitted.grant_requested.amount == Decimal(1300000)


def test_submitted_application_is_fixed(road: Road) -> None:
    tender = road.publish(road.draft_contest())
    bid = corrected(road, tender)
    with pytest.raises(applications.ApplicationFixed):
        submit(road, bid)
    with pytest.raises(applications.ApplicationFixed):
        attach_all(road, bid)


def test_saving_again_replaces_the_parts(road: Road) -> None:
    tender = road.publish(road.draft_contest())
    bid = save(road, tender)
    again = save(road, tender, bid=bid, draft=seed_application(correction=Decimal(30000)))
    assert again.pk == bid.pk and again.items.count() == 7
    assert [row.code for row in again.findings.filter(severity="block")] == ["ATTACHMENT_MISSING"] * 6


def test_unknown_document_is_refused(road: Road) -> None:
    bid = save(road, road.publish(road.draft_contest()))
    with pytest.raises(applications.DocumentUnknown):
        applications.attach_document(
            bid=bid,
            document="recipe",
            filename="x",
            content=b"x",
            content_type="text/plain",
            actor=road.actor("nadiia"),
            at=DAY,
        )


def test_late_application_is_refused(road: Road) -> None:
    tender = road.publish(road.draft_contest())
    bid = save(road, tender, draft=seed_application(correction=Decimal(30000)))
    attach_all(road, bid)
    with pytest.raises(bids.BidsClosed):
        applications.submit_application(bid=bid, actor=road.actor("nadiia"), at=OPENING)


def awarded(road: Road) -> awards.Award:
    tender = road.publish(road.draft_contest())
    bid = corrected(road, tender)
    road.open_with_declarations(tender)
    bids.admit_bid(bid=bid, actor=road.actor("bohdan"), at=OPENING)
    road.mark(bid, {"relevance": Decimal(5), "results": Decimal(4), "budget": Decimal(4)})
    road.lock(tender)
    evaluation.evaluate_tender(tender=tender, actor=road.actor("bohdan"), at=SCORED)
    return awards.award_tender(tender=tender, reason="бали", actor=road.actor("bohdan"), at=SCORED)[0]


def agree(road: Road, award: awards.Award, milestones: list[AgreedMilestone] = MILESTONES) -> object:
    return awards.conclude_grant(
        award=award,
        milestones=milestones,
        provider_user_id=road.cast["nadiia"].pk,
        actor=road.actor("bohdan"),
        at=AFTER_STANDSTILL,
    )


def test_award_becomes_a_grant_agreement_that_commits_the_budget(road: Road) -> None:
    award = awarded(road)
    assert award.bid.result.total == Decimal("88.00")
    contract = agree(road, award)
    assert (contract.basis, contract.status) == ("grant", "active")  # type: ignore[attr-defined]
    assert contract.ceiling.amount == Decimal(1300000)  # type: ignore[attr-defined]
    assert contract.milestones.count() == 3  # type: ignore[attr-defined]
    assert set_aside_minor(road.line) == 130000000
    assert award.tender.__class__.objects.get(pk=award.tender_id).status == "complete"
    assert [event.action for event in trail_for(contract)] == ["award.concluded"]  # type: ignore[arg-type]


def test_first_tranche_is_limited(road: Road) -> None:
    milestones = [
        AgreedMilestone("a", "a", date(2025, 4, 15), Decimal("650000.01")),
        AgreedMilestone("b", "b", date(2025, 10, 1), Decimal("649999.99")),
    ]
    with pytest.raises(awards.TrancheTooLarge):
        agree(road, awarded(road), milestones)


def test_tranches_pay_exactly_the_grant(road: Road) -> None:
    with pytest.raises(awards.TranchesNeGrant):
        agree(road, awarded(road), MILESTONES[:1])


def test_no_milestone_is_due_after_the_final_report(road: Road) -> None:
    *others, final = MILESTONES
    with pytest.raises(awards.MilestoneTooLate) as refused:
        agree(road, awarded(road), [*others, replace(final, due_date=date(2026, 5, 1))])
    assert refused.value.params["until"] == date(2026, 4, 30)


def test_grant_above_the_free_budget_is_refused(road: Road) -> None:
    award = awarded(road)
    amend_budget_line(line=road.line, amount=Decimal("1299999.99"), basis="x", actor=road.actor("halyna"), at=road.at)
    with pytest.raises(BudgetExceeded):
        agree(road, award)


def test_grant_above_the_fund_is_not_awarded(road: Road) -> None:
    tender = road.publish(road.draft_contest())
    tender.value = tender.value * 0 + tender.value / 2
    tender.save(update_fields=["value"])
    bid = corrected(road, tender)
    road.open_with_declarations(tender)
    bids.admit_bid(bid=bid, actor=road.actor("bohdan"), at=OPENING)
    road.mark(bid, {"relevance": Decimal(5), "results": Decimal(4), "budget": Decimal(4)})
    road.lock(tender)
    evaluation.evaluate_tender(tender=tender, actor=road.actor("bohdan"), at=SCORED)
    with pytest.raises(awards.NoWinner) as refusal:
        awards.award_tender(tender=tender, reason="бали", actor=road.actor("bohdan"), at=SCORED)
    assert refusal.value.params["reason"] == "FUND_TOO_SMALL"
