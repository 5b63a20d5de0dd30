"""Office equipment that every app uses: jobs, document numbers, attachments, idempotency keys, outgoing notices,
earlier versions of facts.
"""

from __future__ import annotations

import pgtrigger
from django.db import models

from config.accounts.models import Organisation, User
from config.fields import AppendOnlyModel, append_only


class Job(models.Model):
    """Background work. This row is the truth; Celery only rings the bell and a sweep re-sends what was lost.

    A worker takes a job by a conditional UPDATE that sets a lease; a job whose lease ended may be taken again.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    kind = models.CharField(max_length=64)
    key = models.CharField(max_length=200, unique=True)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=5)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    progress = models.PositiveSmallIntegerField(default=0)
    progress_text = models.CharField(max_length=200, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["lease_until"], name="job_open", condition=models.Q(state__in=["waiting", "running"])),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class DocumentSeries(models.Model):
    """Last number given in a series: per organisation, kind and year, without gaps."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    kind = models.CharField(max_length=32)
    year = models.PositiveSmallIntegerField()
    last_number = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "kind", "year"], name="document_series_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.year} {self.last_number}"


class Attachment(models.Model):
    """A stored file, named by its content hash; ``label`` is the "app.model:pk" it belongs to."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True)
    label = models.CharField(max_length=80, db_index=True)
    kind = models.CharField(max_length=32)
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True)
    uploaded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["label", "kind", "sha256"], name="attachment_once"),
        ]

    def __str__(self) -> str:
        return self.name


class IdempotencyKey(models.Model):
    """First answer to an external write; the same key with another body is refused."""

    scope = models.CharField(max_length=64)
    key = models.CharField(max_length=128)
    body_sha256 = models.CharField(max_length=64)
    answer = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope", "key"], name="idempotency_key_once"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"


class OutboxMessage(models.Model):
    """A notice to a person, written in the transaction that causes it and sent later."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True)
    code = models.CharField(max_length=64)
    params = models.JSONField(default=dict)
    label = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.code


class EarlierVersion(AppendOnlyModel):
    """What a fact said from ``known_from`` (absent: always) until ``known_until``; see ``config.versions``.

    ``was`` holds the columns that changed later, or the whole row when it was withdrawn. Only the triggers write it.
    """

    table_name = models.CharField(max_length=63)
    row_id = models.BigIntegerField()
    was = models.JSONField()
    known_from = models.DateTimeField(null=True)
    known_until = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["table_name", "known_until"], name="earlier_version_known"),
            models.Index(fields=["table_name", "row_id", "known_until"], name="earlier_version_row"),
        ]
        constraints = [
            models.CheckConstraint(
                name="earlier_version_range",
                condition=models.Q(known_from__isnull=True) | models.Q(known_until__gt=models.F("known_from")),
            ),
        ]
        triggers = [
            *append_only("earlier_version"),
            pgtrigger.Trigger(
                name="earlier_version_written",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF pg_trigger_depth() < 2 THEN
                        RAISE EXCEPTION 'earlier versions are written by the database alone';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.table_name} {self.row_id} {self.known_until}"


class RowSeal(models.Model):
    """sha256 of what a row said when it was last written with the triggers on; see ``config.office.seals``.

    Only the triggers write it: the web and worker roles may not.
    """

    pk = models.CompositePrimaryKey("table_name", "row_id")
    table_name = models.CharField(max_length=63)
    row_id = models.BigIntegerField()
    seal = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.table_name} {self.row_id}"
