"""Each check that can make a line wait shows what it rests on: with figures, links by right, a constant page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from config.roles import FINANCE_MAKER, PROVIDER, permissions_of
from contracts.models import Parameter, Provider, ProviderUser, Service, ServiceIncompatibility
from settlement.actions import check_facts
from settlement.actions.holds import lift_hold
from settlement.models import AdjudicationRun, ClaimLine, Finding, PaymentHold
from settlement.pend_evidence import VISIT, WORKER_DAY, Evidence, evidence_of
from settlement.pend_facts import FACTS, Fact
from settlement.rules import checks
from settlement.rules.parameters import SEVERITIES, severity_key
from tests.conftest import AT
from tests.settlement.actions.test_own_checks import CASES, FIRST, SECOND, Month, related
from tests.signed_in import browser
from vouchers.actions import check_facts as people_facts
from vouchers.models import Recipient

pytestmark = pytest.mark.django_db
FINANCE, PROVIDERS = permissions_of({FINANCE_MAKER}), permissions_of({PROVIDER})
PENDING = {check.CODE for check in checks.PENDS} | {code for code, may in SEVERITIES.items() if "P" in may}
# What the figures of a check are when it is not judged in these tests.
DETAILS: dict[str, dict[str, str]] = {
    "CLM-23": {"metres": "9000", "minutes": "12", "earlier_claim": "", "earlier_line": "1"},
    "CLM-38": {"collected": "150.00"},
    "CLM-41": {"units": "30.000", "mean": "7.500", "recipients": "12"},
    "CLM-42": {"visits": "24", "rounded": "18", "why": "rounded"},
    "CLM-48": {"people": "12", "norm": "10"},
}
# Check -> what a person in finance reads, in part.
SEEN: dict[str, tuple[str, ...]] = {
    "CLM-02": ("CL-2025-0001 adjudicated", "again.csv"),
    "CLM-23": ("9000", "12", "45"),
    "CLM-26": ("04.11.2025", "01.12.2025"),
    "CLM-29": ("a grant, Г-1: ", "04.11.2025 – 04.11.2025"),
    "CLM-30": ("ДЗ-1, for everybody, 03.11.2025 – 03.11.2025",),
    "CLM-33": ("Tuesday, 04.11.2025", "Tuesday, Sunday, from 01.01.2025"),
    "CLM-34": ("03.11.2025 – 03.11.2025", "none is attached to the claim"),
    "CLM-37": ("1,278.01 ₴", "1,278.00 ₴", "0.01 ₴", "differentiated fee"),
    "CLM-38": ("150.00 ₴", "differentiated fee"),
    "CLM-40": ("7", "285.06 ₴", "285.00 ₴", "0.06 ₴"),
    "CLM-41": ("30", "7.5", "12", "4"),
    "CLM-42": ("24", "18", "75"),
    "CLM-43": ("501", "719.5", "03.11.2025 10:30", "03.12.2025 10:00"),
    "CLM-44": ("… 6001", "лист", "03.12.2025", "not lifted; until"),
    "CLM-47": ("03.11.2025", "04.11.2025", "05.11.2025"),
    "CLM-48": ("12", "10"),
    "CLM-49": ("Ніхто не приходив", "nobody has answered yet"),
    "CLM-50": ("200.00 ₴",),
}


@pytest.fixture
def month(tmp_path: Path) -> Iterator[Month]:
    with override("en"):
        yield Month(tmp_path)


def as_pend(month: Month, code: str) -> None:
    """The check makes a line wait, from the beginning on."""
    if "P" in SEVERITIES.get(code, ""):
        Parameter.objects.create(
            organisation=month.office, jurisdiction="UA", key=severity_key(code), value="P",
            valid_from=date(2025, 1, 1), recorded_at=AT,
        )  # fmt: skip


def record(month: Month, code: str) -> None:
    if code == "CLM-30":
        people_facts.record_state_task(
            **month.by("bohdan"), provider=month.provider, service=month.service, recipient=None, reference="ДЗ-1",
            valid_from=FIRST, valid_to=SECOND,
        )  # fmt: skip
    elif code in CASES:
        CASES[code][0](month)


def pended(month: Month, code: str) -> Finding:
    """A finding of the check that waits: judged where the facts are at hand, otherwise as the check writes it."""
    as_pend(month, code)
    record(month, code)
    if code not in DETAILS and code != "CLM-26":
        month.judged()
        found = Finding.objects.filter(check_code=code, severity="P").select_related("claim_line__claim", "run")
        if found:
            return found[0]
    if not AdjudicationRun.objects.exists():
        month.judged()
    line = ClaimLine.objects.select_related("claim", "certificate__recipient").get(claim=month.claim, line=1)
    detail = DETAILS.get(code, {})
    return Finding(
        pk=1, claim_line=line, run=AdjudicationRun.objects.get(), check_code=code, severity="P", detail=detail
    )


def seen(month: Month, finding: Finding, rights: frozenset[str] = FINANCE) -> Evidence:
    return evidence_of(month.office, [finding], rights.__contains__)[finding.pk]


def values(evidence: Evidence) -> list[str]:
    return [fact.value.replace("\N{NO-BREAK SPACE}", " ") for fact in evidence.facts]


def test_every_check_that_can_make_a_line_wait_has_its_evidence() -> None:
    assert {"CLM-11", "CLM-24", "CLM-26", "CLM-34", "CLM-49"} <= PENDING and len(PENDING) >= 20
    assert set(FACTS) | {VISIT, WORKER_DAY} == PENDING
    assert set(SEEN) == set(FACTS)


@pytest.mark.parametrize("code", sorted(FACTS))
def test_a_person_reads_what_the_check_rests_on(month: Month, code: str) -> None:
    if code == "CLM-26":
        day = datetime(2025, 12, 1, 12, tzinfo=AT.tzinfo)
        Recipient.objects.update(death_date=SECOND, death_recorded_at=day)
    evidence = seen(month, pended(month, code))
    told = values(evidence)
    assert told and all(isinstance(fact, Fact) and fact.label for fact in evidence.facts)
    assert [part for part in SEEN[code] if not any(part in value for value in told)] == [], told


def test_a_provider_reads_its_own_side_only(month: Month) -> None:
    complaint = pended(month, "CLM-49")
    assert "Ніхто не приходив" in values(seen(month, complaint))
    told = seen(month, complaint, PROVIDERS)
    assert "Ніхто не приходив" not in values(told) and "nobody has answered yet" in values(told)
    assert not any(fact.url for fact in told.facts)
    account = Finding(pk=2, claim_line=complaint.claim_line, run=complaint.run, check_code="CLM-44", severity="P",
                      detail={"since": AT.date().isoformat(), "submitted": AT.date().isoformat()})  # fmt: skip
    CASES["CLM-44"][0](month)
    office, own = (" ".join(values(seen(month, account, rights))) for rights in (FINANCE, PROVIDERS))
    assert "лист" in office and str(month.users["bohdan"]) in office
    assert "лист" not in own and str(month.users["bohdan"]) not in own and "… 6001" in own
    assert "UA2132231300000260072335" not in office + own


def meals_of(month: Month, provider: Provider) -> ClaimLine:
    """Meals claimed for the recipient on the day of the visit; the two exclude each other."""
    meals = Service.objects.create(
        organisation=month.office, code="ME", name_uk="Обіди вдома", unit="hour", granularity=1
    )
    ServiceIncompatibility.objects.create(
        service=month.service, other=meals, reason="Догляд містить обіди", recorded_at=AT
    )
    line = ClaimLine.objects.select_related("claim").get(claim=month.claim, line=1)
    claim, line.claim.pk = line.claim, None
    claim.number, claim.provider, claim.status = "B-1", provider, "submitted"
    claim.save(force_insert=True)
    line.pk, line.claim, line.service, line.service_code = None, claim, meals, meals.code
    line.save(force_insert=True)
    return line


@pytest.mark.parametrize("own", [True, False])
def test_a_provider_does_not_learn_which_service_another_one_gives(month: Month, own: bool) -> None:
    provider = Provider.objects.get(pk=month.provider.pk)
    if not own:
        provider.pk, provider.code = None, "P9"
        provider.save(force_insert=True)
    meals_of(month, provider)
    month.judged()
    line = ClaimLine.objects.select_related("claim", "certificate__recipient").get(claim=month.claim, line=1)
    pend = Finding(pk=9, claim_line=line, run=AdjudicationRun.objects.get(), check_code="CLM-29", severity="P")
    office, told = (values(seen(month, pend, rights)) for rights in (FINANCE, PROVIDERS))
    assert office == ["B-1, № 1: Обіди вдома", "Догляд містить обіди"]
    assert told == (office if own else ["another service of another provider"])


def test_a_provider_does_not_learn_what_the_recipient_gets_from_others(month: Month) -> None:
    paid = pended(month, "CLM-29")
    office, own = (values(seen(month, paid, rights)) for rights in (FINANCE, PROVIDERS))
    assert any("Г-1" in value and month.service.name in value for value in office)
    assert own == ["a grant"]


def test_links_lead_where_the_reader_may_go(month: Month) -> None:
    account = pended(month, "CLM-44")
    urls = [fact.url for fact in seen(month, account).facts if fact.url]
    assert len(urls) == 2
    halyna = browser(month.users["halyna"], "en")
    assert [halyna.get(url).status_code for url in urls] == [200, 200]
    assert [fact.url for fact in seen(month, account, frozenset()).facts if fact.url] == []


def test_what_was_done_since_the_run_is_seen(month: Month) -> None:
    act = pended(month, "CLM-34")
    check_facts.attach_signed_act(
        **month.by("nadiia"), claim_id=month.claim.pk, name="akt.txt", content=b"x", content_type="text/plain"
    )
    told = seen(month, act)
    assert "akt.txt" in values(told) and "none is attached to the claim" not in values(told)
    ProviderUser.objects.get_or_create(user=month.users["nadiia"], provider=month.provider)
    nadiia = browser(month.users["nadiia"], "en")
    assert [nadiia.get(fact.url).status_code for fact in told.facts if fact.value == "akt.txt"] == [200]


def test_a_lifted_hold_says_who_lifted_it(month: Month) -> None:
    account = pended(month, "CLM-44")
    lift_hold(**month.by("ivan"), hold_id=PaymentHold.objects.get().pk, reason="Передзвонили, рахунок їхній")
    told = " ".join(values(seen(month, account)))
    assert "Передзвонили" in told and str(month.users["ivan"]) in told and "not lifted" not in told
    assert "Передзвонили" not in " ".join(values(seen(month, account, PROVIDERS)))


def test_figures_that_a_package_wrote_otherwise_break_nothing(month: Month) -> None:
    month.judged()
    line = ClaimLine.objects.select_related("claim", "certificate__recipient").get(claim=month.claim, line=1)
    run = AdjudicationRun.objects.get()
    names = ("metres", "minutes", "earlier_line", "collected", "limit", "declared", "written", "units", "mean",
             "visits", "rounded", "since", "began", "left", "why")  # fmt: skip
    for number, wrong in enumerate(({}, dict.fromkeys(names, "багато"), dict.fromkeys(names, "NaN"), {"minutes": "0"})):
        rows = [
            Finding(pk=place, claim_line=line, run=run, check_code=code, severity="P", detail=wrong)
            for place, code in enumerate([*sorted(PENDING), "CLM-99"], 100 * number)
        ]
        assert len(evidence_of(month.office, rows, FINANCE.__contains__)) == len(rows)


def test_a_page_of_all_checks_asks_each_table_once(month: Month) -> None:
    related(month, "mariia")
    CASES["CLM-49"][0](month)
    month.judged()
    lines = list(ClaimLine.objects.select_related("claim__provider", "certificate__recipient", "service"))
    run, detail = AdjudicationRun.objects.get(), {"other_claim": "A-1", "earlier_claim": "A-1", "earlier_line": "1"}

    def asked(chosen: list[ClaimLine]) -> int:
        rows = [
            Finding(pk=place, claim_line=line, run=run, check_code=code, severity="P", detail=detail)
            for place, (line, code) in enumerate((line, code) for line in chosen for code in sorted(PENDING))
        ]
        with CaptureQueriesContext(connection) as queries:
            evidence_of(month.office, rows, FINANCE.__contains__)
        return len(queries)

    assert len(lines) == 2
    assert asked(lines[:1]) == asked(lines) <= 24
    assert asked([]) == 0


def test_the_queue_and_the_line_show_it(month: Month) -> None:
    month.office.clock_offset = AT - timezone.now() + timedelta(minutes=5)
    month.office.save()
    line = pended(month, "CLM-49").claim_line
    halyna, nadiia = browser(month.users["halyna"], "en"), browser(month.users["nadiia"], "en")
    for page in (reverse("settlement:pends"), reverse("settlement:claim_line", args=[line.pk])):
        assert "Ніхто не приходив" in halyna.get(page).content.decode()
    ProviderUser.objects.get_or_create(user=month.users["nadiia"], provider=month.provider)
    own = nadiia.get(reverse("settlement:claim_line", args=[line.pk])).content.decode()
    assert "nobody has answered yet" in own and "Ніхто не приходив" not in own
