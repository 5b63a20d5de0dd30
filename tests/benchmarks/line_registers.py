"""What the loop over objects looks up: the lines with all they name joined, every register in dictionaries by its keys.

Loaded once by the ORM before the loop; rows in force on a day are sought among those of a key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

_LATEST = datetime.max.replace(tzinfo=UTC)
# Limits as the rules have them where the municipality has none of its own.
DEFAULTS = {
    "worker.hours_per_day_max": "12",
    "claim.window_days": "60",
    "claim.rounding_tolerance": "0.05",
    "claim.outlier_sigma": "3",
    "claim.outlier_recipients_min": "10",
    "claim.round_hours_pct": "90",
    "claim.round_hours_visits_min": "20",
    "claim.geo_distance_m": "500",
    "claim.scan_delay_hours": "24",
    "claim.bank_account_hold_days": "30",
    "worker.travel_kmh_max": "60",
    "claim.emergency_act_days": "1",
    "claim.emergency_days_max": "14",
}
Groups = dict[tuple[Any, ...], list[Any]]


class Registers:
    """All that the claims of a run ask for."""

    def __init__(self, claims: list[Any], run: int) -> None:
        self.claims, self.run = claims, run
        self.zone, self.utc = ZoneInfo(claims[0].organisation.zone), UTC
        # Found out of the lines, when the loop begins (``line_patterns``).
        self.bearing: set[tuple[Any, ...]] = set()
        self.twins: set[int] = set()
        self.vat: dict[int, int] = {}
        self.groups: dict[tuple[Any, ...], int] = {}
        self._figures: dict[tuple[str, date], Decimal] = {}
        self._load_lines()
        self._load_past()
        self._load_contracts()
        self._load_people()
        self._load_claims()

    def _load_lines(self) -> None:
        from settlement.models import ClaimLine, Clearance, RestoredTerm

        joins = (
            "claim__provider",
            "claim__contract",
            "certificate__recipient",
            "service",
            "worker",
            "redemption__scan",
        )
        terms = RestoredTerm.objects.filter(claim__in=self.claims, status="confirmed")
        self.restored = {row.claim_id: row.counts_as_submitted_at for row in terms}
        rows = ClaimLine.objects.filter(claim__in=self.claims).select_related(*joins)
        self.lines: list[Any] = sorted(rows, key=self._order)
        self.lifted: dict[int, set[str]] = defaultdict(set)
        for row in Clearance.objects.filter(claim_line__claim__in=self.claims, run__lte=self.run):
            self.lifted[row.claim_line_id].add(row.check_code)

    def _load_past(self) -> None:
        """Lines of earlier runs that were allowed something, and whose claim nobody takes back."""
        from settlement.models import Adjudication, Claim

        shelved = ("draft", "returned", "withdrawn")
        gone = Claim.objects.exclude(reverses=None).exclude(status__in=shelved).values("reverses")
        joins = ("claim_line__claim__contract", "claim_line__certificate", "claim_line__service")
        rows = Adjudication.objects.filter(reverses=None, units_allowed__gt=0).exclude(claim__in=gone)
        self.past = list(rows.select_related(*joins))
        taken_back = Adjudication.objects.filter(claim__reversals__in=self.claims).prefetch_related("claim__reversals")
        self.taken_back = list(taken_back)

    def _load_contracts(self) -> None:
        from contracts import models

        self.parameters = _grouped(models.Parameter.objects.all(), "key")
        self.contract_lines = _grouped(models.ContractLine.objects.all(), "contract_id", "service_id")
        self.norms = _grouped(models.NormCost.objects.filter(status="approved"), "service_id")
        self.stops = _grouped(models.ProviderSuspension.objects.all(), "provider_id")
        self.qualified = _grouped(models.WorkerQualification.objects.all(), "worker_id", "service_id")
        self.schedules = _grouped(models.ProviderSchedule.objects.all(), "provider_id")
        self.accounts = _grouped(models.ProviderAccount.objects.all(), "provider_id")
        self.evidence_needed = _grouped(models.RequiredEvidence.objects.all(), "service_id")
        self.grant_items = _grouped(models.GrantItem.objects.all(), "contract_id")
        self.milestones = _grouped(models.Milestone.objects.prefetch_related("notes"), "contract_id")
        self.calendar = {row.date: row.kind == "working" for row in models.CalendarDay.objects.all()}
        self.excluding: dict[int, set[int]] = defaultdict(set)
        for row in models.ServiceIncompatibility.objects.all():
            self.excluding[row.service_id].add(row.other_id)
            self.excluding[row.other_id].add(row.service_id)

    def _load_people(self) -> None:
        from vouchers import models

        self.covered = {(row.certificate_id, row.service_id): row for row in models.CertificateLine.objects.all()}
        self.pauses = _grouped(models.CertificateSuspension.objects.all(), "certificate_id")
        self.fees = _grouped(models.FeeAssessment.objects.all(), "recipient_id")
        plans = models.PlanLine.objects.select_related("plan")
        self.plans = _grouped((row for row in plans if _is_approved(row)), "recipient_id", "service_id")
        self.homes = _grouped(models.RecipientResidence.objects.all(), "recipient_id")
        self.absences = _grouped(models.Absence.objects.all(), "recipient_id")
        self.funding = _grouped(models.OtherFunding.objects.all(), "recipient_id")
        self.tasks = _grouped(models.StateTask.objects.all(), "provider_id", "service_id")
        self.emergencies = _grouped(models.EmergencyCase.objects.all(), "recipient_id", "service_id")
        self.complaints = set(
            models.VisitComplaint.objects.filter(answered_at=None).values_list("redemption", flat=True)
        )

    def _load_claims(self) -> None:
        from config.office.models import Attachment
        from settlement.models import AdvanceStanding, ClaimDeclaration, ClawbackStanding, FeeReport

        files = Attachment.objects.filter(label__startswith="settlement.claim:")
        self.attachments = _grouped(files, "kind", "label")
        self.same_file = _grouped(files, "kind", "sha256")
        declared = ClaimDeclaration.objects.select_related("claim").order_by("recorded_at", "pk")
        self.declared = {row.claim_id: row for row in declared}
        self.fee_reports: dict[tuple[Any, ...], Any] = {
            (row.claim_id, row.recipient_id): row for row in FeeReport.objects.order_by("recorded_at", "pk")
        }
        now = {"period": self.claims[0].period, "run": self.run}
        self.owed = dict(ClawbackStanding.objects.filter(**now).values_list("provider", "outstanding_minor"))
        self.advanced = dict(AdvanceStanding.objects.filter(**now).values_list("contract", "outstanding_minor"))

    def submitted_at(self, claim: Any) -> datetime:
        """When a claim counts as submitted."""
        return self.restored.get(claim.pk) or claim.submitted_at or claim.recorded_at  # type: ignore[no-any-return]

    def _order(self, line: Any) -> tuple[Any, ...]:
        claim, starts = line.claim, line.starts_at or _LATEST
        return (line.service_date, starts, self.submitted_at(claim), claim.number, line.line)

    def figure(self, key: str, day: date) -> Decimal:
        """A limit in force on a day."""
        if (key, day) not in self._figures:
            row = in_force(self.parameters[key,], day)
            self._figures[key, day] = Decimal(row.value if row else DEFAULTS[key])
        return self._figures[key, day]


def _is_approved(row: Any) -> bool:
    return row.plan is None or row.plan.status in ("approved", "closed")


def _grouped(rows: Iterable[Any], *names: str) -> Groups:
    found: Groups = defaultdict(list)
    for row in rows:
        found[tuple(getattr(row, name) for name in names)].append(row)
    return found


def holds(row: Any, day: date, first: str = "valid_from", last: str = "valid_to") -> bool:
    """Whether a row is in force on a day; its end is the first day on which it is not."""
    start, end = getattr(row, first), getattr(row, last)
    return (start is None or start <= day) and (end is None or day < end)


def in_force(rows: list[Any], day: date) -> Any:
    """The row in force on a day, of several the one that began last."""
    held = [row for row in rows if holds(row, day)]
    return max(held, key=lambda row: row.valid_from or date.min) if held else None
