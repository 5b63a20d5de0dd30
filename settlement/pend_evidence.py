"""What a person sees before deciding about a pend: the line beside the record of the visit, the worker's day, and the
figures of each check. A constant number of queries for a page of findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.utils.translation import gettext

from config.accounts.models import Organisation
from config.statuses import label_of_status
from config.templatetags.show import units
from settlement.line_queries import grouped
from settlement.models import ClaimLine, Finding, KeptPend
from settlement.pend_facts import FACTS, Fact, May, Pend, day, moment
from settlement.pend_records import Records
from vouchers.models import Redemption

VISIT, WORKER_DAY, SCAN, GROUP, COMPLAINT = "CLM-11", "CLM-24", "CLM-43", "CLM-48", "CLM-49"


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
    """What is known about a pend; ``visits`` are the worker's lines of the day, or of the group, with ``milli``
    thousandths in all.
    """

    compared: tuple[Compared, ...] = ()
    redemption: Redemption | None = None
    visits: tuple[ClaimLine, ...] = ()
    caption: str = ""
    milli: int = 0
    facts: tuple[Fact, ...] = ()
    kept: tuple[KeptPend, ...] = field(default=())


def evidence_of(organisation: Organisation, findings: Sequence[Finding], may: May) -> dict[int, Evidence]:
    """Evidence by finding, as far as a reader may see it; at most one query for each table that the checks of the page
    ask for. Lines come with their claim, certificate, service and worker.
    """
    decisions, records = _decisions(row.claim_line for row in findings), Records(organisation, findings)
    kept: dict[tuple[int, str], list[KeptPend]] = grouped(decisions, "claim_line_id", "check_code")
    return {row.pk: _evidence(Pend(row, records, may), kept) for row in findings}


def kept_of(lines: Iterable[ClaimLine]) -> dict[int, list[KeptPend]]:
    """Decisions that pends stay, by line, oldest first."""
    return grouped(_decisions(lines), "claim_line_id")


def _decisions(lines: Iterable[ClaimLine]) -> QuerySet[KeptPend]:
    return KeptPend.objects.filter(claim_line__in=list(lines)).select_related("decided_by").order_by("pk")


def _evidence(pend: Pend, kept: dict[tuple[int, str], list[KeptPend]]) -> Evidence:
    code, line = pend.finding.check_code, pend.line
    visits = _visits(pend) if code in (WORKER_DAY, GROUP) else ()
    of_visit = code in (VISIT, SCAN, COMPLAINT)
    found = pend.records.redemptions.get(line.redemption_code) if of_visit else None
    return Evidence(
        compared=_compared(line, found) if code == VISIT else (),
        redemption=found,
        visits=visits,
        caption=gettext("The group of the visit")
        if code == GROUP
        else gettext("All that this worker is claimed for on that day"),
        milli=sum(row.units_milli for row in visits),
        facts=tuple(FACTS[code](pend)) if code in FACTS else (),
        kept=tuple(kept.get((line.pk, code), ())),
    )


def _visits(pend: Pend) -> tuple[ClaimLine, ...]:
    line = pend.line
    found = pend.records.worker_days.get((line.worker_code, line.service_date), ())
    # Two providers may use one code; neither reads the other's claims.
    mine = (row for row in found if row.claim.provider_id == line.claim.provider_id)
    if pend.finding.check_code == WORKER_DAY:
        return tuple(mine)
    together = (line.claim_id, line.service_code, line.starts_at, line.ends_at)
    return tuple(row for row in mine if (row.claim_id, row.service_code, row.starts_at, row.ends_at) == together)


def _compared(line: ClaimLine, found: Redemption | None) -> tuple[Compared, ...]:
    if found is None:
        return (Compared(gettext("Redemption"), line.redemption_code or "—", gettext("not found")),)
    pairs = (
        (gettext("State"), label_of_status("confirmed"), label_of_status(found.status)),
        (gettext("Certificate"), line.certificate_number, found.certificate_number),
        (gettext("Service"), line.service_code, found.service_code),
        (gettext("Worker"), line.worker_code, found.worker_code),
        (gettext("Units"), units(line.units_milli), units(found.units_milli)),
        (
            gettext("Began"),
            moment(line.starts_at) if line.starts_at else day(line.service_date),
            moment(found.starts_at),
        ),
        (gettext("Ended"), moment(line.ends_at), moment(found.ends_at)),
    )
    return tuple(Compared(label, claimed or "—", known or "—") for label, claimed, known in pairs)
