"""Pages of contracts and procurement on a played competition: accessible, and not wider than a phone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from config.accounts.models import Organisation, User
from config.clock import business_now
from procurement.actions import applications, awards, evaluation
from tests.browser.conftest import people
from tests.browser.test_pages import _overflow, _shot, _violations
from tests.road import PUBLISHED, SCORED, Road, seed_application


def played(at: datetime) -> dict[str, Any]:
    """A scored and awarded social order, a contest with a blocked draft, a register contract."""
    organisation = Organisation.objects.create(code="verbivka", name="Вербівська громада", is_demo=True)
    cast: dict[str, User] = people(organisation)
    road = Road(organisation, cast)
    road.provider("A", "nadiia")
    order, offered = road.scored_order()
    evaluation.evaluate_tender(tender=order, actor=road.actor("bohdan"), at=SCORED)
    awards.award_tender(tender=order, reason="бали", actor=road.actor("bohdan"), at=SCORED)
    contest = road.publish(road.draft_contest())
    draft = applications.save_application(
        tender=contest,
        provider=road.provider("A"),
        draft=seed_application(),
        actor=road.actor("nadiia"),
        at=PUBLISHED + timedelta(days=10),
    )
    running = road.publish(road.draft_order())
    planned = road.draft_order()
    road.appoint(planned)
    contract = road.register_contract(road.provider("B"))
    organisation.clock_offset = PUBLISHED + timedelta(days=12) - business_now()
    organisation.save(update_fields=["clock_offset"])
    return {
        "order": order.pk,
        "bid": offered["A"].pk,
        "contest": contest.pk,
        "draft": draft.pk,
        "running": running.pk,
        "planned": planned.pk,
        "contract": contract.pk,
        "norm": road.norm.pk,
        "provider": contract.provider_id,
        "line": road.line.pk,
    }


PAGES = (
    ("bohdan", "/procurement/competitions/"),
    ("bohdan", "/procurement/competitions/{order}/"),
    ("bohdan", "/procurement/competitions/{planned}/"),
    ("bohdan", "/procurement/competitions/new/"),
    ("bohdan", "/procurement/bids/{bid}/"),
    ("chair", "/procurement/competitions/{order}/scores/"),
    ("nadiia", "/procurement/competitions/{running}/"),
    ("nadiia", "/procurement/competitions/{running}/bid/"),
    ("nadiia", "/procurement/bids/{draft}/"),
    ("nadiia", "/procurement/bids/{draft}/edit/"),
    ("nadiia", "/procurement/bids/"),
    ("bohdan", "/procurement/plans/"),
    ("bohdan", "/contracts/"),
    ("bohdan", "/contracts/{contract}/"),
    ("bohdan", "/contracts/new/"),
    ("oksana", "/contracts/norms/{norm}/"),
    ("bohdan", "/contracts/norms/new/"),
    ("bohdan", "/contracts/providers/"),
    ("bohdan", "/contracts/providers/{provider}/"),
    ("pavlo", "/contracts/parameters/?q=so."),
    ("halyna", "/contracts/budget/{line}/"),
    ("bohdan", "/contracts/services/"),
)


def test_competition_pages(transactional_db: None, at: datetime, open_page: Any) -> None:
    keys = played(at)
    said: list[str] = []
    for username, address in PAGES:
        page = open_page(username)
        name = f"{username}{address.split('?')[0].replace('/', '.').replace('{', '').replace('}', '')}"
        answer = page.goto(address.format(**keys))
        if answer.status != 200:
            said.append(f"{name}: answered {answer.status}")
            continue
        said += [f"{name}: {violation}" for violation in _violations(page)]
        _shot(page, name)
        page.set_viewport_size({"width": 360, "height": 740})
        if _overflow(page) > 0:
            said.append(f"{name}: {_overflow(page)} px too wide for a phone")
        _shot(page, f"{name}360")
        page.context.close()
    assert said == []
