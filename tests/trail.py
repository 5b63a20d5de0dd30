"""The trail of one row, for tests."""

from __future__ import annotations

from django.db import models
from django.db.models import QuerySet

from config.audit.models import AuditEvent
from config.audit.queries import trail_of_label
from config.audit.recording import label_of


def trail_for(row: models.Model) -> QuerySet[AuditEvent]:
    """Every event that touched the row, newest first."""
    return trail_of_label(label_of(row))
