"""A fee of past months in the browser: proposed by one person, approved by another, read by the recipient."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from config.accounts.models import User
from tests.browser.test_pages import _overflow, _shot, _violations
from tests.vouchers.town import pensioner
from vouchers.actions.assessments import decide_fee
from vouchers.models import FeeRevision, Recipient

NOVEMBER = date(2025, 11, 1)


def decided(at: datetime) -> Recipient:
    """The recipient of the road pays up to 1 278.00 from November."""
    recipient = Recipient.objects.select_related("organisation").get(code="R-1")
    recipient.birth_date, recipient.name = date(1950, 5, 4), "Вигадана Олена"
    recipient.save()
    actor = User.objects.get(username="sofiia").as_actor()
    decide_fee(recipient=recipient, inputs=pensioner("6000.00", NOVEMBER), valid_from=NOVEMBER, actor=actor, at=at)
    return recipient


def looked_at(page: Any, name: str) -> list[str]:
    """What is wrong with a page, wide and on a phone."""
    said = [f"{name}: {violation}" for violation in _violations(page)]
    _shot(page, f"fees-anew-{name}")
    page.set_viewport_size({"width": 360, "height": 740})
    if _overflow(page) > 0:
        said.append(f"{name}: {_overflow(page)} px too wide for a phone")
    _shot(page, f"fees-anew-{name}-360")
    page.set_viewport_size({"width": 1280, "height": 900})
    return said


def test_a_fee_is_decided_anew_by_two_persons_and_read(town: dict[str, Any], open_page: Any, at: datetime) -> None:
    recipient = decided(at)
    sofiia, ivan, halyna, olena = (open_page(name) for name in ("sofiia", "ivan", "halyna", "olena"))
    sofiia.goto(f"/vouchers/recipients/{recipient.pk}/fee/anew/")
    said = looked_at(sofiia, "form")
    sofiia.click("button[name=decide], button[name=calculate]")
    said += looked_at(sofiia, "errors")
    sofiia.fill("input[name=valid_from]", "2025-11-01")
    sofiia.fill("input[name=last_day]", "2025-11-30")
    sofiia.fill("input[name=income]", "16566")
    sofiia.fill("textarea[name=reason]", "Довідка про доходи від 05.12.2025: пенсію пораховано двічі")
    sofiia.click("button[name=calculate]")
    said += looked_at(sofiia, "calculated")
    sofiia.click("button[name=decide]")
    made = FeeRevision.objects.get()
    assert (made.status, str(made.monthly_limit)) == ("proposed", "800.00")
    said += looked_at(sofiia, "proposed")
    ivan.goto("/settlement/fees-anew/")
    said += looked_at(ivan, "list")
    ivan.click(f"a[href='/settlement/fees-anew/{made.pk}/']")
    ivan.click("form[action$='/steps/'] button")
    said += looked_at(ivan, "steps")
    ivan.click("form[action$='/approve/'] button")
    said += looked_at(ivan, "approved")
    olena.goto("/settlement/corrections/mine/")
    said += looked_at(olena, "mine")
    olena.click(f"a[href='/settlement/fees-anew/mine/{made.pk}/']")
    said += looked_at(olena, "own")
    halyna.goto(f"/settlement/fees-anew/{made.pk}/")
    said += looked_at(halyna, "finance")
    sofiia.goto(f"/vouchers/recipients/{recipient.pk}/")
    said += looked_at(sofiia, "recipient")
    assert said == []
    assert FeeRevision.objects.get().status == "approved"
