"""Chapter 6: a month of visits. Some are authorised and confirmed at the door, the rest is reported in spreadsheets:
that is how over-use, duplicates and overlaps come into the claims of the next chapter.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal as D

from django.utils.translation import gettext_noop

from config.demo.chapters.ground import DAY, HOME, REHAB, TRIP, WHOLE_DAYS
from config.demo.chapters.population import (
    DAY_CARE,
    REHABILITATION,
    TERCENTR_HOME,
    TURBOTA_HOME,
    WITH_TRIPS,
    WORKED_EXAMPLE,
    numbers,
)
from config.demo.pins import pin_of
from config.demo.stage import Stage, moment
from config.demo.visits import KYIV, Visit, day_visits, home_visits, single_visits
from contracts.actions.register import suspend_provider
from contracts.models import Provider
from vouchers.actions.certificate_life import resume_certificate, suspend_certificate
from vouchers.actions.recipients import record_absence
from vouchers.actions.redemptions import authorise_redemption, confirm_redemption
from vouchers.actions.visits import import_reported_visits
from vouchers.models import Absence, Certificate, CertificateSuspension, Recipient, Redemption

FIRST, LAST = date(2025, 11, 1), date(2025, 11, 30)
ONLINE = (1, 40)
REPORTED_AT = moment(2025, 12, 1, 16)
RESTED, AWAY, OVERLAPPED, SHARED_WORKER, ODD_UNITS, TWO_DAYS = 160, 173, 171, 179, 170, 285
DIED, EXTRA_OVER_PLAN = 62, 82
LONG_DAY = tuple(range(51, 69, 2))  # nine people with a visit to spare in their plan


@dataclass(frozen=True)
class Reported:
    """A visit as the provider writes it down. ``code`` is the provider's own."""

    code: str
    visit: Visit


def visit_people(stage: Stage) -> None:
    """Absences and rests that people knew of, visits at the door, reports of the providers."""
    stage.say(46, gettext_noop("Visits of November"))
    _events(stage)
    _online(stage)
    certificates = certificate_numbers(stage)
    for provider, user in (("TURBOTA", "nadiia"), ("TERCENTR", "lidiia"), ("DRC", "roman"), ("OPORA", "taras")):
        stage.say(62, gettext_noop("Providers report visits"))
        report(stage, provider, user, FIRST, reported_visits(provider), certificates, at=REPORTED_AT)


def report(
    stage: Stage,
    provider: str,
    user: str,
    month: date,
    visits: Iterable[Reported],
    certificates: dict[str, str],
    *,
    at: datetime,
) -> None:
    """The visits of a provider as its spreadsheet."""
    import_reported_visits(
        organisation=stage.organisation,
        provider=Provider.objects.get(code=provider),
        file_name=f"{provider}-{month:%Y-%m}.csv",
        content=_csv([_row(item, certificates) for item in visits]),
        actor=stage.actor(user),
        at=at,
    )


def certificate_numbers(stage: Stage, *starts: date) -> dict[str, str]:
    """Number of the certificate of each recipient code; of those that start on given days, November's by default."""
    rows = Certificate.objects.filter(organisation=stage.organisation, valid_from__in=starts or (FIRST,))
    return dict(rows.values_list("recipient__code", "number"))


def _events(stage: Stage) -> None:
    worker = stage.actor("sofiia")

    def person(number: int | str) -> Recipient:
        code = number if isinstance(number, str) else f"R-{number:04d}"
        return Recipient.objects.get(organisation=stage.organisation, code=code)

    if not Absence.objects.filter(recipient=person(WORKED_EXAMPLE)).exists():
        record_absence(
            recipient=person(WORKED_EXAMPLE),
            kind="hospital",
            from_date=date(2025, 11, 12),
            last_day=date(2025, 11, 14),
            actor=worker,
            at=moment(2025, 11, 17),
        )
    if not Absence.objects.filter(recipient=person(AWAY)).exists():
        record_absence(
            recipient=person(AWAY),
            kind="away",
            from_date=date(2025, 11, 10),
            last_day=date(2025, 11, 16),
            actor=worker,
            at=moment(2025, 11, 7),
        )
    resting = Certificate.objects.get(recipient=person(RESTED), valid_from=FIRST)
    if not CertificateSuspension.objects.filter(certificate=resting).exists():
        suspend_certificate(
            certificate=resting,
            from_date=date(2025, 11, 12),
            last_day=date(2025, 11, 16),
            reason="Тимчасове проживання в родичів",
            actor=worker,
            at=moment(2025, 11, 11),
        )
    resting.refresh_from_db()
    if resting.status == "suspended":
        resume_certificate(certificate=resting, from_date=date(2025, 11, 17), actor=worker, at=moment(2025, 11, 17, 8))
    provider = Provider.objects.get(code="TERCENTR")
    if not provider.suspensions.exists():
        suspend_provider(
            organisation=stage.organisation,
            provider=provider,
            from_date=date(2025, 11, 23),
            to_date=date(2025, 11, 24),
            reason="Позапланова перевірка в неділю",
            actor=stage.actor("bohdan"),
            at=moment(2025, 11, 21),
        )


def turbota_visits() -> Iterator[Visit]:
    """The month of the winner of the competition."""
    workers = [f"TURBOTA-W{number:02d}" for number in range(1, 16)]
    yield from home_visits(recipients=numbers(TURBOTA_HOME), workers=workers, service=HOME, first=FIRST, last=LAST)


def _online(stage: Stage) -> None:
    provider = Provider.objects.get(code="TURBOTA")
    first, last = numbers(ONLINE)[0], numbers(ONLINE)[-1]
    done = set(
        Redemption.objects.filter(provider=provider, channel="online", status="confirmed").values_list(
            "certificate__recipient__code", "starts_at"
        )
    )
    certificates = {
        row.recipient.code: row
        for row in Certificate.objects.filter(
            organisation=stage.organisation, valid_from=FIRST, recipient__code__range=(first, last)
        ).select_related("recipient", "organisation")
    }
    pins = {code: pin_of(row) for code, row in certificates.items()}
    visits = sorted(
        (v for v in turbota_visits() if first <= v.recipient <= last), key=lambda v: (v.starts_at, v.recipient)
    )
    for index, visit in enumerate(visits):
        if index % 50 == 0:
            stage.say(47 + index * 14 // len(visits), gettext_noop("Visits confirmed by code"))
        if (visit.recipient, visit.starts_at) not in done:
            redeem(stage, provider, certificates[visit.recipient], pins[visit.recipient], visit, user="nadiia")


def redeem(
    stage: Stage,
    provider: Provider,
    certificate: Certificate,
    pin: str,
    visit: Visit,
    *,
    user: str,
    confirm: bool = True,
) -> None:
    """A visit at the door: authorised when it starts, confirmed when it ends."""
    redemption = authorise_redemption(
        certificate_key=certificate.short_code or "",
        pin=pin,
        provider=provider,
        worker_code=visit.worker,
        service_code=visit.service,
        starts_at=visit.starts_at,
        units=visit.units,
        idempotency_key=f"{visit.recipient}-{visit.starts_at:%Y%m%d%H%M}",
        actor=stage.actor(user),
        at=visit.starts_at,
    )
    if confirm and redemption.status == "authorised":
        confirm_redemption(
            redemption=redemption,
            provider=provider,
            units=visit.units,
            ends_at=visit.ends_at,
            actor=stage.actor(user),
            at=visit.ends_at,
        )


def reported_visits(provider: str) -> list[Reported]:
    """What a provider reports for November, the planted faults included; codes say which."""
    visits = {"TURBOTA": _turbota, "TERCENTR": _tercentr, "DRC": _drc, "OPORA": _opora}[provider]()
    return list(visits)


def _coded(prefix: str, visits: Iterable[Visit]) -> Iterator[Reported]:
    for number, visit in enumerate(visits, 1):
        yield Reported(f"{prefix}-{number:05d}", visit)


def _at(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime.combine(date(2025, month, day), time(hour, minute), KYIV)


def _extra(
    code: str, recipient: str, worker: str, service: str, start: datetime, hours: str, units: str = ""
) -> Reported:
    end = start + timedelta(hours=float(hours))
    return Reported(code, Visit(recipient, worker, service, start, end, D(units or hours)))


def _turbota() -> Iterator[Reported]:
    online = set(numbers(ONLINE))
    yield from _coded("T", (visit for visit in turbota_visits() if visit.recipient not in online))
    # A worker's day of thirteen and a half hours (CLM-24).
    for place, number in enumerate(LONG_DAY):
        start = _at(4, 7) + timedelta(minutes=90 * place)
        yield _extra(f"T-LONG-{place + 1}", f"R-{number:04d}", "TURBOTA-W16", HOME, start, "1.5")
    yield _extra("T-PLAN", f"R-{EXTRA_OVER_PLAN:04d}", "TURBOTA-W16", HOME, _at(3, 18), "1.5")
    yield _extra("T-OCTOBER", "R-0070", "TURBOTA-W16", HOME, _at(31, 10, month=10), "1.5")


def _tercentr() -> Iterator[Reported]:
    workers = [f"TERCENTR-W{number:02d}" for number in range(1, 14)]
    home = home_visits(recipients=numbers(TERCENTR_HOME), workers=workers, service=HOME, first=FIRST, last=LAST)
    yield from _coded("C", _with_odd_units(home))
    for group in range(4):
        people = numbers(DAY_CARE)[group * 10 : group * 10 + 10]
        visits = day_visits(recipients=people, worker=f"TERCENTR-W{14 + group}", service=DAY, first=FIRST, last=LAST)
        yield from _coded(f"D{group + 1}", _with_two_days(visits))
    yield _extra("C-SUSPENDED", "R-0175", "TERCENTR-W01", HOME, _at(23, 10), "1.5")
    yield _extra("C-OVERLAP", f"R-{OVERLAPPED:04d}", "TERCENTR-W17", HOME, _at(10, 9), "1.5")
    yield _extra("C-WORKER", f"R-{SHARED_WORKER:04d}", "TERCENTR-W01", HOME, _at(11, 8, 45), "1.5")
    yield _extra("C-STRANGER", "R-0177", "OPORA-W01", HOME, _at(16, 10), "1.5")


def _with_odd_units(visits: Iterable[Visit]) -> Iterator[Visit]:
    for visit in visits:
        odd = visit.recipient == f"R-{ODD_UNITS:04d}" and visit.day == date(2025, 11, 6)
        yield replace(visit, units=D("1.4")) if odd else visit


def _with_two_days(visits: Iterable[Visit]) -> Iterator[Visit]:
    for visit in visits:
        two = visit.recipient == f"R-{TWO_DAYS:04d}" and visit.day == date(2025, 11, 5)
        yield replace(visit, units=D(2)) if two else visit


def _drc() -> Iterator[Reported]:
    rehabilitation = single_visits(
        recipients=numbers(REHABILITATION),
        workers=[f"DRC-W{number:02d}" for number in range(1, 8)],
        service=REHAB,
        first=FIRST,
        last=date(2025, 11, 28),
        weekdays=frozenset({0, 2, 4}),
        minutes=60,
    )
    yield from _coded("R", rehabilitation)
    trips = [f"DRC-W{number:02d}" for number in range(9, 13)]
    people = numbers(WITH_TRIPS)
    tuesdays, thursdays = frozenset({1}), frozenset({3})
    yield from _coded(
        "P", single_visits(recipients=people, workers=trips, service=TRIP, first=FIRST, last=LAST, weekdays=tuesdays)
    )
    yield from _coded(
        "Q",
        single_visits(
            recipients=people, workers=trips, service=TRIP, first=FIRST, last=date(2025, 11, 14), weekdays=thursdays
        ),
    )
    yield _extra("R-AFTER", "R-0321", "DRC-W01", REHAB, _at(29, 9), "1")
    yield _extra("R-HOME", "R-0010", "DRC-W02", HOME, _at(30, 9), "1.5")
    for number in range(351, 356):
        yield _extra(f"R-SEPTEMBER-{number}", f"R-{number:04d}", "DRC-W01", REHAB, _at(number - 341, 9, month=9), "1")


# The worked example of SET-1: thirteen days, the one in hospital among them, and one visit written twice.
EXAMPLE_DAYS = (3, 4, 5, 6, 7, 10, 11, 13, 17, 18, 19, 20, 21)


def _opora() -> Iterator[Reported]:
    for day in EXAMPLE_DAYS:
        yield _extra(f"O-{day:02d}", WORKED_EXAMPLE, "OPORA-W01", HOME, _at(day, 10), "1.5")
    yield _extra("O-10-TWICE", WORKED_EXAMPLE, "OPORA-W01", HOME, _at(10, 10), "1.5")


def _row(item: Reported, certificates: dict[str, str]) -> dict[str, str]:
    visit = item.visit
    return {
        "code": item.code,
        "certificate_number": certificates[visit.recipient],
        "worker_code": visit.worker,
        "service_code": visit.service,
        "starts_at": visit.starts_at.isoformat(),
        "ends_at": "" if visit.service in WHOLE_DAYS else visit.ends_at.isoformat(),
        "units": str(visit.units),
    }


def _csv(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
