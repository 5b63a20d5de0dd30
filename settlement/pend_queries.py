"""Pends as a queue: who is in charge, what was proposed and decided, until when, and who decided how often."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery

from config.accounts.access import Access
from config.accounts.models import Organisation, User
from config.accounts.people import people_with
from config.clock import local_date
from config.periods import WorkingCalendar, add_working_days
from contracts.parameters import ParameterBook
from contracts.queries import working_calendar
from settlement.line_queries import decided_pends, is_decided, pended_lines, waiting_lines
from settlement.models import AdjudicationRun, Clearance, Finding, KeptPend, PendAssignment, PendProposal

# Working days in which a claim is judged; what waits for a person is not judged yet.
DAYS = "claim.adjudicate_days"
Key = tuple[int, str]


@dataclass(frozen=True)
class Task:
    """What the queue says of a pend. ``age``: days since the run; ``deadline``: absent when no parameter gives one.

    ``decided``: the decision in force that it stays; what is decided is not overdue.
    """

    assigned_to: User | None
    proposal: PendProposal | None
    age: int
    deadline: date | None
    overdue: bool
    decided: KeptPend | None


@dataclass(frozen=True)
class Decisions:
    """How often a person decided about the pends of a check. ``given``: lifted elsewhere, it came with a package."""

    person: str
    check: str
    proposed: int = 0
    confirmed: int = 0
    kept: int = 0
    refused: int = 0
    given: int = 0


def open_proposals(line_ids: Iterable[int]) -> dict[Key, PendProposal]:
    """Proposals that nobody has confirmed or refused, by line and check: one query."""
    rows = PendProposal.objects.filter(claim_line__in=list(line_ids), clearance=None, refusal=None)
    return {(row.claim_line_id, row.check_code): row for row in rows.select_related("proposed_by").order_by("pk")}


def deciders(organisation: Organisation) -> QuerySet[User]:
    """People who may decide about pends here."""
    return people_with(organisation.pk, "claims.clear").order_by("display_name", "username")


def queue(access: Access, *, search: str = "", check: str = "", state: str = "", person: int | None = None) -> Any:
    """Pends of the office that wait, oldest run first, as far as they are in a state of the queue. In the state
    «kept» instead those that were decided to stay: they wait for nobody.
    """
    pair = {"claim_line": OuterRef("claim_line"), "check_code": OuterRef("check_code")}
    latest = PendAssignment.objects.filter(**pair).order_by("-pk").values("assigned_to")[:1]
    rows = _in_state(access, search, check, state).annotate(in_charge=Subquery(latest))
    if state == "mine":
        rows = rows.filter(in_charge=access.user.pk)
    elif state == "nobody":
        rows = rows.filter(in_charge=None)
    elif state == "proposed":
        rows = rows.filter(Exists(PendProposal.objects.filter(**pair, clearance=None, refusal=None)))
    elif state == "overdue":
        rows = rows.filter(run__in=_overdue_runs(access.office(), access.now()))
    return rows.filter(in_charge=person) if person else rows


def _in_state(access: Access, search: str, check: str, state: str) -> QuerySet[Finding]:
    if state == "kept":
        return pended_lines(access, search, check).filter(is_decided())
    return waiting_lines(access, search, check)


def waiting_checks(access: Access, *, chosen: str = "", state: str = "") -> list[str]:
    """Checks for which a line waits now, or is decided in the state «kept»; and the one that is chosen."""
    codes = _in_state(access, "", "", state).order_by().values_list("check_code", flat=True).distinct()
    return sorted({*codes, chosen} - {""})


def tasks_of(organisation: Organisation, findings: Iterable[Finding], now: datetime) -> dict[int, Task]:
    """The queue's columns by finding, their runs at hand: four queries."""
    rows = list(findings)
    lines = [row.claim_line_id for row in rows]
    assigned = PendAssignment.objects.filter(claim_line__in=lines).select_related("assigned_to").order_by("pk")
    people = {(row.claim_line_id, row.check_code): row.assigned_to for row in assigned}
    proposals = open_proposals(lines)
    decisions = decided_pends().filter(claim_line__in=lines).select_related("decided_by")
    decided = {(row.claim_line_id, row.check_code): row for row in decisions}
    terms, today = _Terms.of(organisation), local_date(now, organisation.zone)
    found = {}
    for row in rows:
        key, began = (row.claim_line_id, row.check_code), local_date(row.run.recorded_at, organisation.zone)
        deadline = terms.deadline(began)
        late = deadline is not None and today > deadline and key not in decided
        age = (today - began).days
        found[row.pk] = Task(people.get(key), proposals.get(key), age, deadline, late, decided.get(key))
    return found


@dataclass(frozen=True)
class _Terms:
    book: ParameterBook
    calendar: WorkingCalendar

    @classmethod
    def of(cls, organisation: Organisation) -> _Terms:
        return cls(ParameterBook.load(organisation, DAYS), working_calendar(organisation))

    def deadline(self, began: date) -> date | None:
        days = self.book.get(DAYS, began)
        return add_working_days(began, days.whole, self.calendar) if days else None


def _overdue_runs(organisation: Organisation, now: datetime) -> list[int]:
    terms, today = _Terms.of(organisation), local_date(now, organisation.zone)
    runs = AdjudicationRun.objects.filter(organisation=organisation).values_list("pk", "recorded_at")
    ends = {run: terms.deadline(local_date(at, organisation.zone)) for run, at in runs}
    return [run for run, end in ends.items() if end is not None and end < today]


def decisions_about_pends(organisation: Organisation) -> list[Decisions]:
    """By person and check: five queries."""
    counts: dict[tuple[str, str], dict[str, int]] = {}
    here = {"run__organisation": organisation}
    local = Clearance.objects.filter(organisation=organisation)
    sources: dict[str, tuple[QuerySet[Any], str]] = {
        "proposed": (PendProposal.objects.filter(**here), "proposed_by__username"),
        "confirmed": (local.filter(given=False), "confirmed_by__username"),
        "given": (local.filter(given=True), "decided_by"),
        "kept": (KeptPend.objects.filter(**here), "decided_by__username"),
        "refused": (KeptPend.objects.filter(**here).exclude(proposal=None), "decided_by__username"),
    }
    for name, (rows, person) in sources.items():
        for row in rows.order_by().values(person, "check_code").annotate(count=Count("pk")):
            counts.setdefault((row[person], row["check_code"]), {})[name] = row["count"]
    found = [Decisions(person, check, **numbers) for (person, check), numbers in counts.items()]
    return sorted(
        found, key=lambda row: (-(row.proposed + row.confirmed + row.kept + row.given), row.person, row.check)
    )


def names_of_deciders(rows: Iterable[Decisions]) -> dict[str, str]:
    """Names of people by user name; whoever decided elsewhere is known by what the package wrote."""
    people = User.objects.filter(username__in={row.person for row in rows})
    return {person.username: str(person) for person in people}
