"""The business clock, read only at the edges (views, commands, tasks); all below gets the time as an argument."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone


def business_now(offset: timedelta | None = None) -> datetime:
    """The present moment, moved by the organisation's clock offset (zero in production, a past month in a demo)."""
    return timezone.now() + (offset or timedelta())


def local_date(moment: datetime, zone: str = "Europe/Kyiv") -> date:
    """Calendar day of a moment in the jurisdiction's zone."""
    return moment.astimezone(ZoneInfo(zone)).date()
