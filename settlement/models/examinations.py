"""What is looked at after a run: visits drawn to be verified, and workers and recipients who stand close."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import User
from config.fields import AppendOnlyModel, append_only
from contracts.models import Worker
from settlement.models.claims import AdjudicationRun, ClaimLine
from vouchers.models import Recipient


class RunExamination(AppendOnlyModel):
    """A run was looked through. ``percent`` of each provider's paid visits were drawn; ``seed`` fixed which."""

    run = models.OneToOneField(AdjudicationRun, on_delete=models.PROTECT, related_name="examination")
    percent = models.DecimalField(max_digits=5, decimal_places=2)
    seed = models.CharField(max_length=64)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("examination of a run")
        triggers = append_only("run_examination")

    def __str__(self) -> str:
        return str(self.run)


class VerificationVisit(AppendOnlyModel):
    """A visit that somebody of the office asks the recipient about. Drawn at most once."""

    examination = models.ForeignKey(RunExamination, on_delete=models.PROTECT, related_name="visits")
    claim_line = models.OneToOneField(ClaimLine, on_delete=models.PROTECT, related_name="verification")

    class Meta:
        verbose_name = _("visit to be verified")
        triggers = append_only("verification_visit")

    def __str__(self) -> str:
        return str(self.claim_line)


class VerificationResult(AppendOnlyModel):
    """What was learnt of a drawn visit. It changes no money: that is asked back by a case, with notice and reply."""

    OUTCOMES = [
        ("held", _("the visit took place")),
        ("otherwise", _("it took place otherwise than claimed")),
        ("not_held", _("it did not take place")),
        ("unclear", _("could not be found out")),
    ]

    visit = models.OneToOneField(VerificationVisit, on_delete=models.PROTECT, related_name="result")
    outcome = models.CharField(max_length=12, choices=OUTCOMES)
    checked_on = models.DateField()
    note = models.CharField(max_length=400)
    checked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("result of a verification")
        constraints = [models.CheckConstraint(name="verification_note", condition=~models.Q(note=""))]
        triggers = append_only("verification_result")

    def __str__(self) -> str:
        return f"{self.visit_id} {self.outcome}"


class ClosenessHint(AppendOnlyModel):
    """A worker and a recipient stand closer than work explains, with the figures of the run. Amount in minor units."""

    KINDS = [
        ("representative", _("the worker acts for the recipient")),
        ("family", _("one surname")),
        ("only_pair", _("nobody else visits or is visited")),
    ]

    examination = models.ForeignKey(RunExamination, on_delete=models.PROTECT, related_name="hints")
    kind = models.CharField(max_length=16, choices=KINDS)
    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, related_name="+")
    recipient = models.ForeignKey(Recipient, on_delete=models.PROTECT, related_name="+")
    visits = models.PositiveIntegerField()
    worker_visits = models.PositiveIntegerField()
    recipient_visits = models.PositiveIntegerField()
    amount_minor = models.BigIntegerField()

    class Meta:
        verbose_name = _("hint of closeness")
        constraints = [
            models.UniqueConstraint(fields=["examination", "kind", "worker", "recipient"], name="closeness_hint_once"),
        ]
        triggers = append_only("closeness_hint")

    def __str__(self) -> str:
        return f"{self.worker_id} {self.recipient_id} {self.kind}"


class HintFeedback(AppendOnlyModel):
    """A person looked into a hint and says that there is nothing in it."""

    hint = models.OneToOneField(ClosenessHint, on_delete=models.PROTECT, related_name="feedback")
    reason = models.CharField(max_length=400)
    given_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("feedback on a hint")
        constraints = [models.CheckConstraint(name="hint_feedback_reason", condition=~models.Q(reason=""))]
        triggers = append_only("hint_feedback")

    def __str__(self) -> str:
        return str(self.hint_id)
