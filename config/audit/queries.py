"""Reads of the trail."""

from __future__ import annotations

from django.db.models import QuerySet

from config.audit.models import AuditEvent


def trail_of_label(label: str) -> QuerySet[AuditEvent]:
    """Every event that touched "app.model:pk", newest first."""
    return AuditEvent.objects.filter(objects_touched__contains=[label]).order_by("-business_at", "-id")
