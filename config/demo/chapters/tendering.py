"""What every competition of the demo goes through alike: approval, commission, announcement, declarations."""

from __future__ import annotations

from datetime import datetime

from config.demo.stage import Stage
from procurement.actions.competitions import (
    appoint_commission,
    approve_tender,
    declare_interest,
    publish_tender,
)
from procurement.models import Tender

COMMISSION = ("chair", "member2", "member3", "member4", "member5")


def announce(
    stage: Stage,
    tender: Tender,
    *,
    approved_at: datetime,
    appointed_at: datetime,
    published_at: datetime,
    bids_close_at: datetime,
) -> Tender:
    """Approved by another person, given its commission of five, published; steps that were taken stay."""
    officer = stage.actor("bohdan")
    if tender.status == "planning":
        approve_tender(tender=tender, actor=stage.actor("oksana"), at=approved_at)
        tender.refresh_from_db()
    if tender.status == "planned":
        appoint_commission(
            tender=tender,
            chair=stage.people[COMMISSION[0]],
            members=[stage.people[name] for name in COMMISSION[1:]],
            actor=officer,
            at=appointed_at,
        )
        publish_tender(tender=tender, bids_close_at=bids_close_at, actor=officer, at=published_at)
        tender.refresh_from_db()
    return tender


def declare_no_conflict(stage: Stage, tender: Tender, *, at: datetime) -> None:
    """Every member declares that it has no interest in the bidders."""
    for name in COMMISSION:
        declare_interest(
            tender=tender,
            conflict=False,
            statement="Не маю реального чи потенційного конфлікту інтересів.",
            actor=stage.actor(name),
            at=at,
        )
