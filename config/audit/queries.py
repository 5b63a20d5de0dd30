"""Reads of the trail."""

from __future__ import annotations

from django.db import models
from django.db.models import QuerySet

from config.audit.models import AuditEvent
from config.audit.recording import label_of


def trail_for(row: models.Model) -> QuerySet[AuditEvent]:
    """Every event that touched the row, newest first."""
    return trail_of_label(label_of(row))


def trail_of_label(label: str) -> QuerySet[AuditEvent]:
    """Every event that touched "app.model:pk", newest first."""
    return AuditEvent.objects.filter(objects_touched__contains=[label]).order_by("-business_at", "-id")
