"""What earlier runs decided, as a package tells it that carries the facts of one run: these are taken as they were,
because the facts that they had are not in it. Units thousandths, rates ten-thousandths, money minor units.
"""

from __future__ import annotations

from django.db import models

from config.accounts.models import Organisation
from config.fields import AppendOnlyModel, append_only
from settlement.models.claims import Adjudication, ClaimLine, Finding


class DecidedRun(AppendOnlyModel):
    """A run that a package tells the results of. ``turn``: its place among all runs."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    period = models.DateField()
    run = models.PositiveIntegerField()
    turn = models.PositiveIntegerField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "period", "run"], name="decided_run_once"),
            models.UniqueConstraint(fields=["organisation", "turn"], name="decided_run_turn"),
            models.CheckConstraint(name="decided_run_month", condition=models.Q(period__day=1)),
        ]
        triggers = append_only("decided_run")

    def __str__(self) -> str:
        return f"{self.period:%Y-%m}/{self.run}"


class DecidedLine(AppendOnlyModel):
    """What such a run allowed of a line."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    run = models.PositiveIntegerField()
    claim_line = models.ForeignKey(ClaimLine, on_delete=models.PROTECT, related_name="decided_before")
    units_allowed = models.BigIntegerField()
    rate_allowed = models.BigIntegerField()
    gross = models.BigIntegerField()
    fee = models.BigIntegerField()
    outcome = models.CharField(max_length=8, choices=Adjudication.OUTCOMES)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["claim_line", "run"], name="decided_line_once"),
            models.CheckConstraint(
                name="decided_line_figures",
                condition=models.Q(units_allowed__gte=0, rate_allowed__gte=0, fee__gte=0, gross__gte=models.F("fee")),
            ),
        ]
        triggers = append_only("decided_line")

    def __str__(self) -> str:
        return f"{self.claim_line_id} {self.outcome}"


class DecidedFinding(AppendOnlyModel):
    """What such a run found on a line; ``detail`` as it was written."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    run = models.PositiveIntegerField()
    claim_line = models.ForeignKey(ClaimLine, on_delete=models.PROTECT, related_name="found_before")
    check_code = models.CharField(max_length=8)
    severity = models.CharField(max_length=1, choices=Finding.SEVERITIES)
    units = models.BigIntegerField()
    amount = models.BigIntegerField()
    detail = models.TextField(blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["claim_line", "run", "check_code"], name="decided_finding_once"),
            models.CheckConstraint(name="decided_finding_figures", condition=models.Q(units__gte=0, amount__gte=0)),
        ]
        triggers = append_only("decided_finding")

    def __str__(self) -> str:
        return f"{self.claim_line_id} {self.check_code}"
