"""Findings that look for patterns: lists, and how often people saw nothing in them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, QuerySet

from config.accounts.models import Organisation
from settlement.finding_words import title_of
from settlement.models import Finding

# They show figures and accuse nobody; people say whether there is something in them.
PATTERNS = ("CLM-23", "CLM-41", "CLM-42", "CLM-43", "CLM-44")


@dataclass(frozen=True)
class PatternCount:
    """How often a check found something, and how often people saw nothing in it."""

    code: str
    title: str
    findings: int
    unfounded: int

    @property
    def share(self) -> int:
        """Percent of findings in which people saw nothing, rounded down."""
        return self.unfounded * 100 // self.findings if self.findings else 0


def pattern_findings(organisation: Organisation, *, check: str = "", q: str = "") -> QuerySet[Finding]:
    """Findings that look for patterns, newest first; ``q``: part of a claim's number or a provider's name."""
    rows = Finding.objects.filter(run__organisation=organisation, check_code__in=[check] if check else PATTERNS)
    if q:
        rows = rows.filter(claim_line__claim__number__icontains=q) | rows.filter(
            claim_line__claim__provider__name__icontains=q
        )
    line = [f"claim_line__{name}" for name in ("claim__provider", "service", "certificate", "worker")]
    return rows.select_related("run", "feedback__given_by", *line).order_by("-pk")


def pattern_counts(organisation: Organisation) -> list[PatternCount]:
    """One row for each check of patterns."""
    rows = Finding.objects.filter(run__organisation=organisation, check_code__in=PATTERNS)
    counted = rows.values("check_code").annotate(found=Count("pk"), unfounded=Count("feedback"))
    found = {row["check_code"]: (row["found"], row["unfounded"]) for row in counted}
    return [PatternCount(code, title_of(code), *found.get(code, (0, 0))) for code in PATTERNS]
