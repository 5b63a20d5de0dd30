"""Papers of clawbacks: the notice and the decision, tagged PDF for people (PDF/UA-1)."""

from __future__ import annotations

from django.db.models import Sum

from settlement.clawback_queries import debts_of, lines_of
from settlement.documents import pdf_of
from settlement.models import ClawbackCase
from settlement.rules.clawback import DROPPED


def paper(case: ClawbackCase, kind: str) -> bytes:
    """PDF of the notice (what is asked back, why, until when to reply) or of the decision (what is owed, until when,
    what happens then). ``kind``: notice or decision.

    Money: minor units. Made of what no later step changes, so that it reads the same at any time.
    """
    sums = case.lines.aggregate(asked=Sum("amount_minor"), upheld=Sum("upheld_minor"))
    if case.debt_minor:
        sums = {"asked": case.debt_minor, "upheld": 0 if case.outcome == DROPPED else case.debt_minor}
    context = {"case": case, "lines": lines_of(case), "debts": debts_of(case), "decided": kind == "decision", **sums}
    made = case.notified_at if kind == "notice" else case.decided_at
    return pdf_of("documents/clawback.html", context, case.organisation, made)
