"""Reported visits: a provider's spreadsheet kept as evidence. What of it counts is for adjudication to judge."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.audit.recording import action, nothing_to_record, record
from config.clock import local_date
from config.errors import DomainError
from config.money import read_number, to_units
from config.office.idempotency import claim_key, keep_answer
from config.office.storage import attach
from contracts.models import Provider, Service, Worker
from vouchers.gateways.headings import column_of, heading_of, headings_of
from vouchers.gateways.spreadsheet import SheetRow, UnreadableSheet, read_sheet
from vouchers.models import Certificate, Redemption

BATCH = 2000
CODE_LENGTH = 64
# No visit has more units; larger numbers do not fit the column.
UNITS_BOUND = 10**9
REQUIRED = ("certificate_number", "service_code", "starts_at", "units")

REASONS = {
    "MISSING": _("The cell is empty. Fill it in."),
    "NOT_A_TIME": _("This is not a date with a time. Write it like 2025-11-03 09:00."),
    "DAY_TO_COME": _("This day is still to come. Report the visit when it has taken place."),
    "NOT_A_NUMBER": _("This is not a number."),
    "NOT_POSITIVE": _("The number must be above zero."),
    "TOO_MANY_PLACES": _("At most three decimal places are possible."),
    "TOO_LONG": _("The code is longer than 64 characters."),
    "CODE_REPEATED": _("The code stands in this file twice with different visits."),
    "CODE_TAKEN": _("Another visit with this code was imported before."),
    "CERTIFICATE_UNKNOWN": _("No certificate has this number."),
    "CERTIFICATE_ELSEWHERE": _(
        "Another municipality issued this certificate. Send its visits in a file of their own and choose that one."
    ),
    "SERVICE_UNKNOWN": _("No service has this code."),
    "WORKER_UNKNOWN": _("No worker has this code."),
}


@dataclass(frozen=True)
class BadCell:
    """Why a row is not taken: where it stands and what is wrong."""

    file: str
    row: int
    column: str
    value: str
    code: str

    @property
    def heading(self) -> str:
        """The column in the reader's language."""
        return heading_of(self.column)

    @property
    def reason(self) -> str:
        """The reason in the reader's language."""
        return str(REASONS[self.code])


@dataclass
class VisitsOutcome:
    """What an import did. ``repeated``: this very file was imported before and nothing was changed.

    ``warnings``: cells of visits that were taken, with codes that nobody knows.
    """

    read: int = 0
    created: int = 0
    unchanged: int = 0
    bad: list[BadCell] = field(default_factory=list)
    warnings: list[BadCell] = field(default_factory=list)
    repeated: bool = False

    def as_answer(self) -> dict[str, int]:
        """The counts as plain JSON."""
        return {"read": self.read, "created": self.created, "unchanged": self.unchanged}


class VisitsRefused(DomainError):
    """The file has bad rows and the user did not ask for the good ones only; nothing was changed."""

    code = "VISITS_REFUSED"
    message = _("%(count)s cells of the file are wrong and nothing was imported. Correct them and send the file again.")

    def __init__(self, bad: list[BadCell]) -> None:
        self.bad = bad
        super().__init__(count=len(bad))


class VisitsUnreadable(DomainError):
    """No table can be read from the file."""

    code = "VISITS_UNREADABLE"
    message = _("This is no spreadsheet: the file is neither CSV nor XLSX. Save it as XLSX and send it again.")


class VisitsColumnsMissing(DomainError):
    """Nothing can be read without its column."""

    code = "VISITS_COLUMNS_MISSING"
    message = _("The first row of the file must name the columns. Missing: %(columns)s.")


@dataclass(frozen=True)
class _Visit:
    row: int
    code: str
    certificate: str
    worker: str
    service: str
    starts_at: datetime
    ends_at: datetime | None
    units_milli: int

    @property
    def content(self) -> tuple[object, ...]:
        return (self.certificate, self.worker, self.service, self.starts_at, self.ends_at, self.units_milli)


@action
def import_reported_visits(
    *,
    organisation: Organisation,
    provider: Provider,
    file_name: str,
    content: bytes,
    actor: Actor,
    at: datetime,
    accept_good_rows: bool = False,
) -> VisitsOutcome:
    """Keep the visits of a CSV or XLSX file as confirmed redemptions of channel ``reported``.

    Columns: certificate_number, service_code, starts_at, units; code, worker_code and ends_at may be absent. Codes that
    nobody knows are kept as text, equal visits are kept twice: both are evidence. Rows without a code get one from
    the file's fingerprint and row number. Times without a zone are the organisation's.
    Idempotent: the same file of the same provider again changes nothing.
    Raises: VisitsUnreadable, VisitsColumnsMissing; VisitsRefused with every bad cell, unless ``accept_good_rows``.
    Audit: visits.reported, one for the file.
    """
    digest = hashlib.sha256(content).hexdigest()
    scope = f"visits:{organisation.pk}:{provider.pk}"
    key, first = claim_key(scope=scope, key=digest, body={}, at=at)
    if not first:
        nothing_to_record()
        return VisitsOutcome(**key.answer, repeated=True)
    outcome = VisitsOutcome()
    visits = _parse(file_name, content, ZoneInfo(organisation.zone), digest, outcome)
    visits = _drop_to_come(organisation, visits, file_name, at, outcome)
    visits = _drop_foreign(organisation, visits, file_name, outcome)
    visits = _drop_known(organisation, provider, visits, file_name, outcome)
    if outcome.bad and not accept_good_rows:
        raise VisitsRefused(outcome.bad)
    _write(organisation, provider, visits, actor, at, file_name, outcome)
    outcome.created = len(visits)
    attach(
        organisation=organisation, to=provider, kind="reported_visits", name=file_name, content=content,
        content_type="application/octet-stream", uploaded_by_id=actor.user_id, at=at,
    )  # fmt: skip
    keep_answer(key, outcome.as_answer())
    record(
        "visits.reported", provider, actor=actor, at=at, organisation=organisation.code, file=file_name,
        sha256=digest, read=outcome.read, created=outcome.created, unchanged=outcome.unchanged,
        refused_cells=len(outcome.bad),
    )  # fmt: skip
    return outcome


def _parse(file_name: str, content: bytes, zone: ZoneInfo, digest: str, outcome: VisitsOutcome) -> list[_Visit]:
    visits: list[_Visit] = []
    seen: dict[str, _Visit] = {}
    for row in _rows(file_name, content):
        outcome.read += 1
        visit = _visit(file_name, row, zone, digest, outcome.bad)
        if visit is None:
            continue
        twin = seen.setdefault(visit.code, visit)
        if twin is visit:
            visits.append(visit)
        elif twin.content == visit.content:
            outcome.unchanged += 1
        else:
            outcome.bad.append(BadCell(file_name, visit.row, "code", visit.code, "CODE_REPEATED"))
    return visits


def _rows(file_name: str, content: bytes) -> Iterator[SheetRow]:
    try:
        header, rows = read_sheet(name=file_name, content=content)
        names = [column_of(column) for column in header]
        if missing := [column for column in REQUIRED if column not in names]:
            raise VisitsColumnsMissing(columns=headings_of(missing))
        for row in rows:
            yield SheetRow(row.number, {column_of(column): value for column, value in row.values.items()})
    except (UnreadableSheet, UnicodeDecodeError) as error:
        raise VisitsUnreadable() from error


def _visit(file_name: str, row: SheetRow, zone: ZoneInfo, digest: str, bad: list[BadCell]) -> _Visit | None:
    before = len(bad)

    def refuse(column: str, code: str) -> None:
        bad.append(BadCell(file_name, row.number, column, row.values.get(column, ""), code))

    for column in ("code", "certificate_number", "worker_code", "service_code"):
        if len(row.values.get(column, "")) > CODE_LENGTH:
            refuse(column, "TOO_LONG")
    for column in ("certificate_number", "service_code"):
        if not row.values.get(column):
            refuse(column, "MISSING")
    starts_at = _time(row.values.get("starts_at", ""), zone)
    if starts_at is None:
        refuse("starts_at", "NOT_A_TIME" if row.values.get("starts_at") else "MISSING")
    ends_at = _time(row.values.get("ends_at", ""), zone)
    if ends_at is None and row.values.get("ends_at"):
        refuse("ends_at", "NOT_A_TIME")
    units, problem = _units(row.values.get("units", ""))
    if problem:
        refuse("units", problem)
    if len(bad) > before or starts_at is None:
        return None
    code = row.values.get("code") or f"RV-{digest[:12]}-{row.number:05d}"
    return _Visit(
        row.number,
        code,
        row.values["certificate_number"],
        row.values.get("worker_code", ""),
        row.values["service_code"],
        starts_at,
        ends_at,
        units,
    )


def _time(text: str, zone: ZoneInfo) -> datetime | None:
    for form in (None, "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S"):
        try:
            moment = datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return None


def _units(text: str) -> tuple[int, str]:
    if not text:
        return 0, "MISSING"
    try:
        value = read_number(text)
    except ValueError:
        return 0, "NOT_A_NUMBER"
    try:
        units = to_units(value) if abs(value) < UNITS_BOUND else 0
    except ValueError:
        return 0, "TOO_MANY_PLACES"
    return units, "" if units > 0 else "NOT_POSITIVE" if value <= 0 else "NOT_A_NUMBER"


def _drop_to_come(
    organisation: Organisation, visits: list[_Visit], file_name: str, at: datetime, outcome: VisitsOutcome
) -> list[_Visit]:
    """Leave out visits of a day after today: nothing has taken place yet that could be confirmed."""
    today = local_date(at, organisation.zone)
    to_come = {
        visit.row: (column, moment)
        for visit in visits
        for column, moment in (("ends_at", visit.ends_at), ("starts_at", visit.starts_at))
        if moment is not None and local_date(moment, organisation.zone) > today
    }
    outcome.bad += [
        BadCell(file_name, row, column, f"{moment:%Y-%m-%d %H:%M}", "DAY_TO_COME")
        for row, (column, moment) in to_come.items()
    ]
    return [visit for visit in visits if visit.row not in to_come]


def _drop_foreign(
    organisation: Organisation, visits: list[_Visit], file_name: str, outcome: VisitsOutcome
) -> list[_Visit]:
    """Leave out visits whose certificate only another municipality knows: here nobody would ever pay them."""
    rows = Certificate.objects.filter(number__in={visit.certificate for visit in visits})
    found = list(rows.values_list("number", "organisation"))
    elsewhere = {number for number, _owner in found} - {number for number, owner in found if owner == organisation.pk}
    outcome.bad += [
        BadCell(file_name, visit.row, "certificate_number", visit.certificate, "CERTIFICATE_ELSEWHERE")
        for visit in visits
        if visit.certificate in elsewhere
    ]
    return [visit for visit in visits if visit.certificate not in elsewhere]


def _drop_known(
    organisation: Organisation,
    provider: Provider,
    visits: Iterable[_Visit],
    file_name: str,
    outcome: VisitsOutcome,
) -> list[_Visit]:
    """Leave out visits whose code is on record: unchanged when equal, a bad row when another visit has it."""
    visits = list(visits)
    columns = (
        "provider_id",
        "certificate_number",
        "worker_code",
        "service_code",
        "starts_at",
        "ends_at",
        "units_milli",
    )
    known = {
        row[0]: row[1:]
        for row in Redemption.objects.filter(
            organisation=organisation, code__in=[visit.code for visit in visits]
        ).values_list("code", *columns)
    }
    fresh = []
    for visit in visits:
        if visit.code not in known:
            fresh.append(visit)
        elif known[visit.code] == (provider.pk, *visit.content):
            outcome.unchanged += 1
        else:
            outcome.bad.append(BadCell(file_name, visit.row, "code", visit.code, "CODE_TAKEN"))
    return fresh


def _write(
    organisation: Organisation,
    provider: Provider,
    visits: list[_Visit],
    actor: Actor,
    at: datetime,
    file_name: str,
    outcome: VisitsOutcome,
) -> None:
    """Insert set-based: three look-ups and one statement a batch, whatever the number of visits."""
    certificates = dict(
        Certificate.objects.filter(
            organisation=organisation, number__in={visit.certificate for visit in visits}
        ).values_list("number", "pk")
    )
    services = dict(Service.objects.filter(organisation=organisation).values_list("code", "pk"))
    workers = dict(Worker.objects.filter(code__in={visit.worker for visit in visits}).values_list("code", "pk"))
    for visit in visits:
        cells = (
            ("certificate_number", visit.certificate, certificates, "CERTIFICATE_UNKNOWN"),
            ("service_code", visit.service, services, "SERVICE_UNKNOWN"),
            ("worker_code", visit.worker, workers, "WORKER_UNKNOWN"),
        )
        outcome.warnings += [
            BadCell(file_name, visit.row, column, value, code)
            for column, value, known, code in cells
            if value and value not in known
        ]
    rows = (
        Redemption(
            organisation=organisation,
            code=visit.code,
            channel="reported",
            certificate_number=visit.certificate,
            provider_code=provider.code,
            worker_code=visit.worker,
            service_code=visit.service,
            certificate_id=certificates.get(visit.certificate),
            provider=provider,
            worker_id=workers.get(visit.worker),
            service_id=services.get(visit.service),
            starts_at=visit.starts_at,
            ends_at=visit.ends_at,
            units_milli=visit.units_milli,
            recorded_by_id=actor.user_id,
            recorded_at=at,
            status="confirmed",
            status_at=at,
        )
        for visit in visits
    )
    Redemption.objects.bulk_create(rows, batch_size=BATCH)
