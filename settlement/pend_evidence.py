"""What a person compares before lifting a pend: the line beside the record of the visit, the worker's day, the death.

A constant number of queries for a page of findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext

from config.statuses import label_of_status
from config.templatetags.show import units
from settlement.models import ClaimLine, Finding, KeptPend
from vouchers.models import Redemption

VISIT, WORKER_DAY, DEATH = "CLM-11", "CLM-24", "CLM-26"


@dataclass(frozen=True)
class Compared:
    """One thing as the line says it and as our records say it."""

    label: str
    claimed: str
    found: str

    @property
    def differs(self) -> bool:
        """Whether the two disagree."""
        return self.claimed != self.found


@dataclass(frozen=True)
class Evidence:
    """What is known about a pend; ``visits`` are the worker's lines of the day with ``milli`` thousandths in all."""

    compared: tuple[Compared, ...] = ()
    redemption: Redemption | None = None
    visits: tuple[ClaimLine, ...] = ()
    milli: int = 0
    facts: tuple[tuple[str, str], ...] = ()
    kept: tuple[KeptPend, ...] = field(default=())


def evidence_of(organisation_id: int, findings: Sequence[Finding]) -> dict[int, Evidence]:
    """Evidence by finding; three queries at most. Lines come with their certificate, service and worker."""
    kept = _kept(findings)
    visits = _redemptions(organisation_id, [row for row in findings if row.check_code == VISIT])
    days = _worker_days(organisation_id, [row for row in findings if row.check_code == WORKER_DAY])
    return {row.pk: _evidence(row, visits, days, kept) for row in findings}


def kept_of(lines: Iterable[ClaimLine]) -> dict[int, list[KeptPend]]:
    """Decisions that pends stay, by line, oldest first."""
    found: dict[int, list[KeptPend]] = {}
    rows = KeptPend.objects.filter(claim_line__in=list(lines)).select_related("decided_by").order_by("pk")
    for row in rows:
        found.setdefault(row.claim_line_id, []).append(row)
    return found


def _kept(findings: Iterable[Finding]) -> dict[tuple[int, str], list[KeptPend]]:
    found: dict[tuple[int, str], list[KeptPend]] = {}
    for rows in kept_of([row.claim_line for row in findings]).values():
        for row in rows:
            found.setdefault((row.claim_line_id, row.check_code), []).append(row)
    return found


def _evidence(finding: Finding, visits: Any, days: Any, kept: Any) -> Evidence:
    line = finding.claim_line
    decided = tuple(kept.get((line.pk, finding.check_code), ()))
    if finding.check_code == VISIT:
        found = visits.get(line.redemption_code)
        return Evidence(compared=_compared(line, found), redemption=found, kept=decided)
    if finding.check_code == WORKER_DAY:
        found = days.get((line.worker_code, line.service_date), ())
        # Two providers may use one code; neither reads the other's claims.
        rows = tuple(row for row in found if row.claim.provider_id == line.claim.provider_id)
        return Evidence(visits=rows, milli=sum(row.units_milli for row in rows), kept=decided)
    facts = _death(line) if finding.check_code == DEATH else ()
    return Evidence(facts=facts, kept=decided)


def _redemptions(organisation_id: int, findings: Iterable[Finding]) -> dict[str, Redemption]:
    codes = {row.claim_line.redemption_code for row in findings} - {""}
    rows = Redemption.objects.filter(organisation=organisation_id, code__in=codes) if codes else []
    return {row.code: row for row in rows}


def _worker_days(organisation_id: int, findings: Iterable[Finding]) -> dict[tuple[str, date], list[ClaimLine]]:
    wanted = {(row.claim_line.worker_code, row.claim_line.service_date) for row in findings}
    if not wanted:
        return {}
    rows = ClaimLine.objects.filter(
        claim__organisation=organisation_id,
        claim__reverses=None,
        worker_code__in={worker for worker, _day in wanted},
        service_date__in={day for _worker, day in wanted},
    ).exclude(Q(claim__status__in=["draft", "withdrawn", "returned"]) | Q(claim__status="rejected", claim__run=None))
    found: dict[tuple[str, date], list[ClaimLine]] = {}
    for row in rows.select_related("claim", "service").order_by("starts_at", "pk"):
        found.setdefault((row.worker_code, row.service_date), []).append(row)
    return found


def _compared(line: ClaimLine, found: Redemption | None) -> tuple[Compared, ...]:
    if found is None:
        return (Compared(gettext("Redemption"), line.redemption_code or "—", gettext("not found")),)
    pairs = (
        (gettext("State"), label_of_status("confirmed"), label_of_status(found.status)),
        (gettext("Certificate"), line.certificate_number, found.certificate_number),
        (gettext("Service"), line.service_code, found.service_code),
        (gettext("Worker"), line.worker_code, found.worker_code),
        (gettext("Units"), units(line.units_milli), units(found.units_milli)),
        (gettext("Began"), _moment(line.starts_at, line.service_date), _moment(found.starts_at, None)),
        (gettext("Ended"), _moment(line.ends_at, None), _moment(found.ends_at, None)),
    )
    return tuple(Compared(label, claimed or "—", known or "—") for label, claimed, known in pairs)


def _moment(at: datetime | None, day: date | None) -> str:
    if at is None:
        return date_format(day, "SHORT_DATE_FORMAT") if day else ""
    return date_format(localtime(at), "SHORT_DATETIME_FORMAT")


def _death(line: ClaimLine) -> tuple[tuple[str, str], ...]:
    recipient = line.certificate.recipient if line.certificate else None
    if recipient is None or recipient.death_date is None:
        return ()
    learnt = recipient.death_recorded_at
    return (
        (gettext("Day of death"), date_format(recipient.death_date, "SHORT_DATE_FORMAT")),
        (gettext("We learnt of it"), _moment(learnt, None) or "—"),
        (gettext("The visit began"), _moment(line.starts_at, line.service_date)),
    )
