"""Reads of adjudication runs and the ledger. The number of queries does not depend on the number of rows."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Prefetch, Q, QuerySet, Sum

from config.accounts.models import Organisation
from config.money import from_minor
from settlement.finding_words import title_of
from settlement.models import AdjudicationRun, Entry, Posting


@dataclass(frozen=True)
class CheckCount:
    """How often a check spoke in a run and what it took (2 places)."""

    code: str
    severity: str
    title: str
    count: int
    amount: Decimal


def checks_of_run(run: AdjudicationRun) -> list[CheckCount]:
    """Checks of a run by code: one query."""
    rows = run.findings.values_list("check_code", "severity").annotate(count=Count("id"), amount=Sum("amount"))
    return [
        CheckCount(code, severity, title_of(code), count, from_minor(amount))
        for code, severity, count, amount in rows.order_by("check_code", "severity")
    ]


def ledger_entries(organisation: Organisation, search: str = "", label: str = "") -> QuerySet[Entry]:
    """Entries with their postings, newest first; two queries a page."""
    postings = Posting.objects.select_related("account__provider", "account__budget_line", "account__neighbour")
    postings = postings.order_by("-debit", "account__code")
    rows = Entry.objects.filter(organisation=organisation).prefetch_related(Prefetch("postings", queryset=postings))
    if search:
        rows = rows.filter(Q(number__icontains=search) | Q(event__icontains=search))
    if label:
        rows = rows.filter(label=label)
    return rows.order_by("-date", "-id")
