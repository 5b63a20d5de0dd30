"""Appeals as they are read: until when, by whom, and which of them wait for an answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from config.accounts.access import Access
from config.accounts.models import Organisation
from config.clock import local_date
from config.periods import WorkingCalendar, add_working_days
from contracts.parameters import ParameterBook, ParameterMissing
from contracts.queries import term_ends, working_calendar
from settlement.line_queries import decided_pends, is_decided, visible_claims
from settlement.models import Adjudication, AdjudicationRun, Appeal, Claim, ClaimLine, Finding, KeptPend

TERM = "claim.appeal_days"
DISPUTABLE = ("adjudicated", "scheduled", "paid", "rejected", "disputed")


def disputed_run(claim: Claim, line: ClaimLine | None) -> AdjudicationRun | None:
    """The run whose decision stands for the claim or the line, if it took something or waits."""
    rows = Adjudication.objects.filter(claim=claim, reverses=None)
    latest = rows.filter(claim_line=line) if line else rows
    found = latest.order_by("-pk").select_related("run__organisation").first()
    if found is None or claim.reverses_id or not latest.exclude(outcome="accepted").exists():
        return None
    return found.run if line is None or found.outcome != "accepted" else None


def has_appeal(claim: Claim, line: ClaimLine | None, run: AdjudicationRun) -> bool:
    """Whether a decision of a run is appealed already: about the line, or about the whole claim."""
    return Appeal.objects.filter(Q(claim_line=line) | Q(claim_line=None), claim=claim, run=run).exists()


def appealable_decisions() -> QuerySet[Adjudication]:
    """The latest decisions about lines that took something and are appealed by nobody; terms may be over. A line that
    waits is decided once a person says that it is not paid.
    """
    pair = {"claim": OuterRef("claim"), "claim_line": OuterRef("claim_line")}
    later = Adjudication.objects.filter(**pair, reverses=None, pk__gt=OuterRef("pk"))
    made = Appeal.objects.filter(
        Q(claim_line=OuterRef("claim_line")) | Q(claim_line=None), claim=OuterRef("claim"), run=OuterRef("run")
    )
    standing = {"reverses": None, "claim__reverses": None, "claim__status__in": DISPUTABLE}
    pends = Finding.objects.filter(run=OuterRef("run"), claim_line=OuterRef("claim_line"), severity="P")
    rows = Adjudication.objects.filter(~Exists(later), ~Exists(made), **standing).exclude(outcome="accepted")
    return rows.exclude(~Exists(pends.filter(is_decided())), outcome="pended")


def appealable_run(claim: Claim, line: ClaimLine | None) -> AdjudicationRun | None:
    """The run whose decision about a claim or line can be disputed and is not yet; its term may be over."""
    if line is not None:
        found = appealable_decisions().filter(claim=claim, claim_line=line).select_related("run__organisation").first()
        return found.run if found else None
    run = disputed_run(claim, line) if claim.status in DISPUTABLE else None
    return None if run is None or has_appeal(claim, line, run) else run


def appeal_until(run: AdjudicationRun, line: ClaimLine | None = None) -> date:
    """The last day on which a decision of a run can be appealed: working days after it was made, or after a person
    decided that the line, which waited, is not paid.
    """
    kept = decided_pends().filter(claim_line=line).last() if line else None
    return term_ends(run.organisation, TERM, max(run.recorded_at, kept.recorded_at) if kept else run.recorded_at)


def offers_appeal(claim: Claim, line: ClaimLine | None, today: date) -> bool:
    """Whether an appeal against the decision about a claim or line is offered on a day: its term is not over."""
    run = appealable_run(claim, line)
    try:
        return run is not None and today <= appeal_until(run, line)
    except ParameterMissing:
        return True


def in_term(organisation: Organisation, today: date) -> Q:
    """Of ``appealable_decisions``: those of an office whose term is not over on a day."""
    terms = _Terms.of(organisation)
    kept = decided_pends().filter(run__organisation=organisation).values_list("claim_line", "recorded_at")
    late = [line for line, at in kept if terms.lasts(at, today)]
    return Q(run__in=appealable_runs(organisation, today)) | Q(outcome="pended", claim_line__in=late)


def appealable_runs(organisation: Organisation, today: date) -> list[AdjudicationRun]:
    """Runs whose decisions can still be appealed on a day; where no term is written down, none of them is over."""
    terms, found = _Terms.of(organisation), []
    for run in AdjudicationRun.objects.filter(organisation=organisation).order_by("-recorded_at").iterator(20):
        if not terms.lasts(run.recorded_at, today):
            break
        found.append(run)
    return found


@dataclass(frozen=True)
class _Terms:
    organisation: Organisation
    book: ParameterBook
    calendar: WorkingCalendar

    @classmethod
    def of(cls, organisation: Organisation) -> _Terms:
        return cls(organisation, ParameterBook.load(organisation, TERM), working_calendar(organisation))

    def lasts(self, since: datetime, today: date) -> bool:
        made = local_date(since, self.organisation.zone)
        term = self.book.get(TERM, made)
        return term is None or today <= add_working_days(made, term.whole, self.calendar)


def appeals_to_answer(access: Access) -> QuerySet[Appeal]:
    """Open appeals that the reader may answer: neither the run nor a pend that was kept is the reader's own."""
    mine = KeptPend.objects.filter(decided_by=access.user)
    of_line = Exists(mine.filter(claim_line=OuterRef("claim_line")))
    of_claim = Exists(mine.filter(claim_line__claim=OuterRef("claim")))
    rows = appeals(access, only_open=True).exclude(run__started_by=access.user)
    rows = rows.exclude(run__correction__proposed_by=access.user)
    return rows.exclude(of_line).exclude(Q(of_claim, claim_line=None))


def appeals(access: Access, search: str = "", *, only_open: bool = False) -> QuerySet[Appeal]:
    """Appeals of the reader's claims, those without an answer first, then the newest."""
    rows = Appeal.objects.filter(claim__in=visible_claims(access).order_by())
    if search:
        words = Q(claim__number__icontains=search) | Q(claim__provider__name__icontains=search)
        rows = rows.filter(words | Q(reason__icontains=search))
    if only_open:
        rows = rows.filter(answer=None)
    parts = ("claim__provider", "claim__organisation", "claim_line", "run", "submitted_by", "answer__answered_by")
    return rows.select_related(*parts).order_by(F("answer__id").desc(nulls_first=True), "-id")
