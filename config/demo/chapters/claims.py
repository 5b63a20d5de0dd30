"""Chapter 7: four claims for November with planted faults, and a late one for September.

What is planted is named beside each fault with the check it is for; the third claim is the worked example of SET-1 to the kopiyka.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal as D
from typing import Any

from django.utils.translation import gettext_noop

from config.demo.chapters.ground import DAY, HOME, REHAB, RESIDENCE, TRIP, WHOLE_DAYS
from config.demo.chapters.population import numbers
from config.demo.chapters.visits import DIED, FIRST, ONLINE, Reported, certificate_numbers, reported_visits
from config.demo.stage import KYIV, Stage, moment
from config.demo.visits import Visit
from contracts.models import Contract, Provider
from settlement.actions.adjudication import adjudicate_claims
from settlement.actions.claims import create_claim, create_claim_from_redemptions, submit_claim
from settlement.actions.examinations import examine_run, record_verification
from settlement.claim_rows import LineDraft
from settlement.models import Claim, VerificationVisit
from vouchers.actions.recipients import record_death
from vouchers.models import Recipient, Redemption

SEPTEMBER = date(2025, 9, 1)
RATES = {
    "TURBOTA": {HOME: D("85.00")},
    "TERCENTR": {HOME: D("92.00"), DAY: D("440.00")},
    "DRC": {REHAB: D("158.00"), TRIP: D("180.00"), HOME: D("92.00"), RESIDENCE: D("540.00")},
    "OPORA": {HOME: D("98.00")},  # 5.2: the contract says 95.00 (CLM-16)
}
SUBMITTED = {
    "TURBOTA": moment(2025, 12, 3, 11),
    "TERCENTR": moment(2025, 12, 3, 14),
    "OPORA": moment(2025, 12, 4, 10),
    "DRC": moment(2025, 12, 4, 15),
}
USERS = {"TURBOTA": "nadiia", "TERCENTR": "lidiia", "OPORA": "taras", "DRC": "roman"}
Lines = list[LineDraft]


def settle_claims(stage: Stage) -> None:
    """Claims come in and are adjudicated, the late one of September first: periods are settled in order."""
    stage.say(66, gettext_noop("Claims of the providers"))
    _death(stage)
    certificates = certificate_numbers(stage)
    for provider in USERS:
        lines = [claim_row(provider, item, certificates) for item in _claimed(provider, stage)]
        if provider == "DRC":
            late = [line for line in lines if line.service_date < FIRST]
            lines = [line for line in lines if line.service_date >= FIRST]
            claim(stage, provider, SEPTEMBER, late, at=SUBMITTED[provider])
        claim(stage, provider, FIRST, _spoil(provider, lines, certificates), at=SUBMITTED[provider])
    for period in (SEPTEMBER, FIRST):
        stage.say(72, gettext_noop("Claims are checked"))
        judge(stage, period, at=moment(2025, 12, 8, 10))
    _ask_recipients(stage)


# What a case worker learnt of the first visits that were drawn of November.
LEARNT = (
    ("held", "Подзвонила: візит був, прибрали й зварили обід."),
    ("held", "Заходила сама: пані підтвердила день і час."),
    ("otherwise", "Візит був, але коротший: соціальна робітниця пішла о пів на дванадцяту."),
    ("unclear", "Не бере слухавку третій день; зайду наступного тижня."),
)


def _ask_recipients(stage: Stage) -> None:
    drawn = VerificationVisit.objects.filter(
        examination__run__organisation=stage.organisation, examination__run__period=FIRST
    )
    if drawn.filter(result__isnull=False).exists():
        return
    for visit, (outcome, note) in zip(drawn.order_by("pk"), LEARNT, strict=False):
        record_verification(
            organisation=stage.organisation,
            visit_id=visit.pk,
            outcome=outcome,
            checked_on=date(2025, 12, 9),
            note=note,
            actor=stage.actor("sofiia"),
            at=moment(2025, 12, 9, 15),
        )


def _death(stage: Stage) -> None:
    """The register office's notice came in December: certificates were good at the door until then."""
    recipient = Recipient.objects.get(organisation=stage.organisation, code=f"R-{DIED:04d}")
    if recipient.death_date is None:
        record_death(
            recipient=recipient,
            death_date=date(2025, 11, 18),
            actor=stage.actor("sofiia"),
            at=moment(2025, 12, 2, 9),
        )


def _claimed(provider: str, stage: Stage) -> Iterator[Reported]:
    if provider == "TURBOTA":
        yield from _online(stage)
    yield from reported_visits(provider)


def _online(stage: Stage) -> Iterator[Reported]:
    found = Redemption.objects.filter(
        organisation=stage.organisation,
        channel="online",
        status="confirmed",
        certificate__recipient__code__in=numbers(ONLINE),
        starts_at__lt=moment(2025, 12, 1, 0),
    ).order_by("starts_at", "code")
    # The columns may be empty in the table; a visit confirmed at the door has both its times and its units.
    rows: Iterable[tuple[Any, ...]] = found.values_list(
        "code", "certificate__recipient__code", "worker_code", "service_code", "starts_at", "ends_at", "units_milli"
    )
    for code, recipient, worker, service, starts_at, ends_at, units in rows:
        yield Reported(code, Visit(recipient, worker, service, starts_at, ends_at, D(units).scaleb(-3)))


def claim_row(provider: str, item: Reported, certificates: dict[str, str]) -> LineDraft:
    """A visit as the provider claims it."""
    visit = item.visit
    return LineDraft(
        redemption_code=item.code,
        certificate_number=certificates[visit.recipient],
        service_code=visit.service,
        service_date=visit.starts_at.astimezone(KYIV).date(),
        starts_at=visit.starts_at,
        ends_at=None if visit.service in WHOLE_DAYS else visit.ends_at,
        worker_code=visit.worker,
        units=visit.units,
        unit_rate=RATES[provider][visit.service],
    )


def claim(stage: Stage, provider: str, period: date, lines: Lines | None, *, at: datetime) -> Claim:
    """A claim handed in: of these rows, or of every visit that is on record (None)."""
    owner = Provider.objects.get(code=provider)
    mine: dict[str, Any] = {"organisation": stage.organisation, "provider": owner, "period": period}
    common: dict[str, Any] = {"actor": stage.actor(USERS[provider]), "at": at}
    found = Claim.objects.filter(**mine, recorded_at=at).first()
    if found is None:
        contracts = Contract.objects.filter(organisation=stage.organisation, provider=owner).exclude(basis="grant")
        mine["contract"] = contracts.get(valid_from__lte=period, valid_to__gt=period)
        if lines is None:
            found = create_claim_from_redemptions(**mine, **common)
        else:
            found = create_claim(**mine, lines=lines, **common)
    if found.status == "draft":
        submit_claim(organisation=stage.organisation, claim_id=found.pk, **common)
    return found


def judge(stage: Stage, period: date, *, at: datetime) -> None:
    """The next run of a month, as of the day of ``at``."""
    by: dict[str, Any] = {"organisation": stage.organisation, "actor": stage.actor("halyna"), "at": at}
    run = adjudicate_claims(**by, period=period, as_of=at.date())
    if run is not None:
        examine_run(**by, run_id=run.pk)


def _spoil(provider: str, lines: Lines, certificates: dict[str, str]) -> Lines:
    spoil = {"TURBOTA": _spoil_turbota, "TERCENTR": _spoil_tercentr}.get(provider)
    return spoil(lines, certificates) if spoil else lines


def _change(lines: Lines, code: str, **values: object) -> None:
    place = next(index for index, line in enumerate(lines) if line.redemption_code == code)
    lines[place] = replace(lines[place], **values)  # type: ignore[arg-type]


def _copy(lines: Lines, code: str, **values: object) -> None:
    line = next(line for line in lines if line.redemption_code == code)
    lines.append(replace(line, **values))  # type: ignore[arg-type]


def _spoil_turbota(lines: Lines, certificates: dict[str, str]) -> Lines:
    _change(lines, "T-00010", amount=D("128.00"))  # CLM-01: 1.5 x 85.00 is 127.50
    _change(lines, "T-00020", certificate_number="CT-2025-9999")  # CLM-07
    _change(lines, "T-00030", units=D("2.5"))  # CLM-11: the visit was recorded with 1.5
    _change(lines, "T-00040", redemption_code="")  # CLM-11: no visit on record
    for number in range(50, 56):
        _change(lines, f"T-{number:05d}", unit_rate=D("87.00"))  # CLM-16
    return lines  # CLM-08, 09, 10, 31: the visit of 31 October; CLM-13, 24, 26 lie in the reports


def _spoil_tercentr(lines: Lines, certificates: dict[str, str]) -> Lines:
    _copy(lines, "C-00100")  # CLM-20: the same visit twice
    _change(lines, "C-00110", service_code="999.9")  # CLM-06
    _change(lines, "C-00120", service_code=DAY, unit_rate=D("440.00"), units=D(1))  # CLM-09, 10
    return lines  # CLM-03, 14, 15, 17, 21, 22, 25, 28 lie in the reports and in the village norm
