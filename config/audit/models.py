"""AuditEvent: what happened, by whom, when, to what; and the head of each chain."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from config.fields import AppendOnlyModel, append_only


class ChainHead(models.Model):
    """Last sequence and hash of a chain; one chain per organisation, written by the insert trigger alone."""

    chain = models.CharField(max_length=64, primary_key=True)
    sequence = models.BigIntegerField(default=0)
    hash = models.BinaryField(default=b"")

    def __str__(self) -> str:
        return f"{self.chain} {self.sequence}"


class AuditEvent(AppendOnlyModel):
    """One action. hash = sha256(previous, sequence, UTC wall time, actor, action, canonical JSON).

    ``recorded_at`` is the wall clock and is set by the database; ``business_at`` is the time the action was given.
    ``objects`` are "app.model:pk" labels, the subject first. ``data`` holds no personal data.
    """

    chain = models.CharField(max_length=64)
    sequence = models.BigIntegerField(editable=False, default=0)
    recorded_at = models.DateTimeField(editable=False, null=True)
    business_at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=64)
    objects_touched = models.JSONField(default=list)
    data = models.JSONField(default=dict)
    previous_hash = models.BinaryField(editable=False, default=b"")
    hash = models.BinaryField(editable=False, default=b"")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chain", "sequence"], name="audit_event_sequence"),
        ]
        indexes = [
            GinIndex(fields=["objects_touched"], name="audit_event_objects", opclasses=["jsonb_path_ops"]),
            models.Index(fields=["chain", "-sequence"], name="audit_event_recent"),
        ]
        triggers = append_only("audit_event")

    def __str__(self) -> str:
        return f"{self.chain} {self.sequence} {self.action}"
