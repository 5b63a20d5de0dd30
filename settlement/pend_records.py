"""The records behind the pends of a page, read at once: one query a table, and none for checks that are not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from django.db.models import Q

from config.accounts.models import Organisation
from config.audit.recording import label_of
from config.office.models import Attachment
from contracts.models import GrantItem, ProviderAccount, ProviderSchedule, RequiredEvidence, ServiceIncompatibility
from settlement.line_queries import grouped
from settlement.models import Claim, ClaimDeclaration, ClaimLine, FeeReport, Finding, PaymentHold
from settlement.own_facts_queries import CLAIM_FILE, SIGNED_ACT
from vouchers.models import (
    EmergencyCase,
    FeeAssessment,
    OtherFunding,
    Redemption,
    StateTask,
    VisitComplaint,
    VisitScan,
)

NEVER_HANDED_IN = Q(claim__status__in=["draft", "withdrawn", "returned"]) | Q(claim__status="rejected", claim__run=None)


def recipient_of(line: ClaimLine) -> int:
    """The recipient of a line; 0 when its certificate is not known."""
    return line.certificate.recipient_id if line.certificate else 0


@dataclass(frozen=True)
class Records:
    """What the findings of an office rest on; each table is read when the first finding asks for it."""

    organisation: Organisation
    findings: Sequence[Finding]

    def _lines(self, *codes: str) -> list[ClaimLine]:
        return [row.claim_line for row in self.findings if row.check_code in codes]

    def _named(self, key: str, *codes: str) -> set[str]:
        """What the figures of findings name under a key."""
        return {str(row.detail.get(key, "")) for row in self.findings if row.check_code in codes} - {""}

    @cached_property
    def redemptions(self) -> dict[str, Redemption]:
        """By code."""
        codes = {line.redemption_code for line in self._lines("CLM-11", "CLM-43", "CLM-49")} - {""}
        return {row.code: row for row in Redemption.objects.filter(organisation=self.organisation, code__in=codes)}

    @cached_property
    def scans(self) -> dict[str, VisitScan]:
        """By code of the redemption."""
        codes = {line.redemption_code for line in self._lines("CLM-23", "CLM-43")} - {""}
        found = VisitScan.objects.filter(redemption__organisation=self.organisation, redemption__code__in=codes)
        return {row.redemption.code: row for row in found.select_related("redemption")}

    @cached_property
    def complaints(self) -> dict[str, list[VisitComplaint]]:
        """By code of the redemption, oldest first."""
        codes = {line.redemption_code for line in self._lines("CLM-49")} - {""}
        found = VisitComplaint.objects.filter(redemption__organisation=self.organisation, redemption__code__in=codes)
        return grouped(found.select_related("redemption", "answered_by").order_by("pk"), "redemption.code")

    @cached_property
    def worker_days(self) -> dict[tuple[str, date], list[ClaimLine]]:
        """Lines that were handed in, by worker and day, in the order of the day."""
        lines = self._lines("CLM-24", "CLM-48")
        found = ClaimLine.objects.filter(
            claim__organisation=self.organisation,
            claim__reverses=None,
            worker_code__in={line.worker_code for line in lines},
            service_date__in={line.service_date for line in lines},
        ).exclude(NEVER_HANDED_IN)
        rows = found.select_related("claim", "service").order_by("starts_at", "pk")
        return grouped(rows, "worker_code", "service_date")

    @cached_property
    def earlier_lines(self) -> dict[tuple[str, int], ClaimLine]:
        """Lines that findings name by the number of a claim."""
        numbers = self._named("earlier_claim", "CLM-23")
        found = ClaimLine.objects.filter(claim__organisation=self.organisation, claim__number__in=numbers)
        lines = {int(text) for text in self._named("earlier_line", "CLM-23") if text.isdecimal()}
        return {(row.claim.number, row.line): row for row in found.filter(line__in=lines).select_related("claim")}

    @cached_property
    def claims(self) -> dict[str, Claim]:
        """Claims that findings name, by number."""
        numbers = self._named("other_claim", "CLM-02")
        return {row.number: row for row in Claim.objects.filter(organisation=self.organisation, number__in=numbers)}

    @cached_property
    def declarations(self) -> dict[int, ClaimDeclaration]:
        """What was last said of the provider's own invoice, by claim."""
        claims = {line.claim_id for line in self._lines("CLM-02", "CLM-40")} | {row.pk for row in self._twins}
        return {row.claim_id: row for row in ClaimDeclaration.objects.filter(claim__in=claims).order_by("pk")}

    @cached_property
    def files(self) -> dict[str, list[Attachment]]:
        """Files that claims were read from, and signed acts, by claim."""
        mine = [line.claim for line in self._lines("CLM-02", "CLM-34")]
        labels = {label_of(claim) for claim in [*mine, *self._twins]}
        found = Attachment.objects.filter(label__in=labels, kind__in=[CLAIM_FILE, SIGNED_ACT]).order_by("pk")
        return grouped(found, "label")

    @property
    def _twins(self) -> list[Claim]:
        return list(self.claims.values()) if self._lines("CLM-02") else []

    @cached_property
    def schedules(self) -> dict[int, list[ProviderSchedule]]:
        """By provider."""
        providers = {line.claim.provider_id for line in self._lines("CLM-33")}
        return grouped(ProviderSchedule.objects.filter(provider__in=providers), "provider_id")

    @cached_property
    def accounts(self) -> dict[int, list[ProviderAccount]]:
        """By provider, oldest first."""
        found = ProviderAccount.objects.filter(provider__in=self._of_new_accounts).select_related("recorded_by")
        return grouped(found.order_by("since", "pk"), "provider_id")

    @cached_property
    def holds(self) -> dict[int, list[PaymentHold]]:
        """Holds of whole providers, oldest first."""
        found = PaymentHold.objects.filter(organisation=self.organisation, provider__in=self._of_new_accounts)
        return grouped(found.select_related("lifted_by").order_by("pk"), "provider_id")

    @property
    def _of_new_accounts(self) -> set[int]:
        return {line.claim.provider_id for line in self._lines("CLM-44")}

    @cached_property
    def acts_needed(self) -> dict[int, list[RequiredEvidence]]:
        """By service."""
        services = {line.service_id for line in self._lines("CLM-34")}
        return grouped(RequiredEvidence.objects.filter(service__in=services), "service_id")

    @cached_property
    def fee_reports(self) -> dict[tuple[int, int], FeeReport]:
        """What was last reported, by claim and recipient."""
        claims = {line.claim_id for line in self._lines("CLM-37", "CLM-38")}
        rows = FeeReport.objects.filter(claim__in=claims).order_by("pk")
        return {(row.claim_id, row.recipient_id): row for row in rows}

    @cached_property
    def fees(self) -> dict[int, list[FeeAssessment]]:
        """Decisions on what recipients pay, by recipient."""
        people = {recipient_of(line) for line in self._lines("CLM-37", "CLM-38")}
        return grouped(FeeAssessment.objects.filter(recipient__in=people), "recipient_id")

    @cached_property
    def other_payers(self) -> dict[int, list[OtherFunding]]:
        """By recipient."""
        rows = OtherFunding.objects.filter(recipient__in=self._doubly_funded).select_related("service")
        return grouped(rows, "recipient_id")

    @cached_property
    def exclusions(self) -> dict[frozenset[int], ServiceIncompatibility]:
        """By the two services."""
        services = {line.service_id for line in self._lines("CLM-29")}
        rows = ServiceIncompatibility.objects.filter(Q(service__in=services) | Q(other__in=services))
        return {frozenset((row.service_id, row.other_id)): row for row in rows}

    @cached_property
    def same_days(self) -> dict[tuple[int, date], list[ClaimLine]]:
        """What else is claimed for the recipient on the day."""
        days = {line.service_date for line in self._lines("CLM-29")}
        found = ClaimLine.objects.filter(
            claim__organisation=self.organisation, claim__reverses=None,
            certificate__recipient__in=self._doubly_funded, service_date__in=days,
        ).exclude(NEVER_HANDED_IN)  # fmt: skip
        rows = found.select_related("claim", "service", "certificate").order_by("pk")
        return grouped(rows, "certificate.recipient_id", "service_date")

    @property
    def _doubly_funded(self) -> set[int]:
        return {recipient_of(line) for line in self._lines("CLM-29")}

    @cached_property
    def state_tasks(self) -> dict[tuple[int, int], list[StateTask]]:
        """By provider and service."""
        providers = {line.claim.provider_id for line in self._lines("CLM-30")}
        rows = StateTask.objects.filter(provider__in=providers, service__organisation=self.organisation)
        return grouped(rows, "provider_id", "service_id")

    @cached_property
    def emergencies(self) -> dict[tuple[int, int], list[EmergencyCase]]:
        """By recipient and service, oldest first."""
        people = {recipient_of(line) for line in self._lines("CLM-47")}
        rows = EmergencyCase.objects.filter(recipient__in=people).order_by("began_on", "pk")
        return grouped(rows, "recipient_id", "service_id")

    @cached_property
    def grant_items(self) -> dict[int, list[GrantItem]]:
        """By contract."""
        contracts = {line.claim.contract_id for line in self._lines("CLM-50")}
        rows = GrantItem.objects.filter(contract__in=contracts).select_related("service").order_by("pk")
        return grouped(rows, "contract_id")
