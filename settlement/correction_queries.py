"""Reads of corrections: which claims of a month would be decided otherwise today, and what is shown to whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from config.accounts.access import Access
from config.accounts.models import Organisation, User
from config.transactions import step
from contracts.parameters import ParameterBook
from contracts.queries import provider_of, term_ends
from settlement.appeal_queries import TERM
from settlement.finding_words import title_of
from settlement.hold_queries import standing_holds
from settlement.judging import batch_of, judge, law_of
from settlement.models import (
    Adjudication,
    AdjudicationRun,
    Claim,
    ClaimLine,
    ClawbackLine,
    ClosedMonth,
    Correction,
    CorrectionClaim,
    CorrectionLine,
    CorrectionObjection,
    YearClosing,
)
from settlement.rules.adjudicate import AdjudicationResult
from vouchers.models import Recipient

FEE_INCREASE, CLOSED_YEAR = "correction.fee_increase", "correction.closed_year"
FIGURES = ("outcome", "units_allowed", "rate_allowed", "gross", "fee", "payable")
# More recipients than that are found by search.
RECIPIENTS_SHOWN = 50
# States in which a claim can be taken back; why the others cannot.
CORRECTABLE = ("adjudicated", "paid", "rejected")
BEING_PAID, APPEALED, HELD = "BEING_PAID", "APPEALED", "HELD"
ASKED_BACK, FEE_RISES = "ASKED_BACK", "FEE_RISES"
# Why a claim is left out of a correction.
LEFT_OUT = {
    "BEING_PAID": _("it is in a payment run"),
    "APPEALED": _("an appeal waits for its answer"),
    "HELD": _("its payment is held"),
    "ASKED_BACK": _("its money is asked back by a case"),
    "FEE_RISES": _("a recipient's fee would rise back in time"),
}
_BLOCKED = {"scheduled": BEING_PAID, "disputed": APPEALED}


@step
def differing_claims(organisation: Organisation, month: date, known_at: datetime) -> list[Claim]:
    """Live claims of a month of which a line would be decided otherwise by what is known at a moment, oldest first.

    Each run is judged again for itself, with what stood before it: late claims take nothing from earlier ones.
    """
    runs = AdjudicationRun.objects.filter(organisation=organisation, period=month, status="done").order_by("number")
    changed: set[int] = set()
    for run in runs.select_related("organisation"):
        changed |= _changed_claims(run, known_at)
    states = (*CORRECTABLE, *_BLOCKED)
    return list(Claim.objects.filter(pk__in=changed, status__in=states, reverses=None).order_by("pk"))


def _changed_claims(run: AdjudicationRun, known_at: datetime) -> set[int]:
    rows = Adjudication.objects.filter(run=run, reverses=None)
    stored = {row[0]: row for row in rows.values_list("claim_line_id", "claim_id", *FIGURES)}
    if not stored:
        return set()
    law = law_of(run.organisation, run.period, known_at)
    _facts, result = judge(run.organisation, batch_of(run), known_at, law, anew=True)
    return {row[1] for row in _decided(result) if stored.get(row[0]) != row}


def later_claims(organisation: Organisation, month: date, claims: Collection[Claim]) -> list[list[Claim]]:
    """Other claims that can be corrected, of runs after the first of some claims: by run, in their order."""
    first = min(claim.run or 0 for claim in claims)
    rows = Claim.objects.filter(organisation=organisation, period=month, run__gt=first, status__in=CORRECTABLE)
    rows = rows.filter(reverses=None).exclude(pk__in=[claim.pk for claim in claims])
    return [list(batch) for _run, batch in groupby(rows.order_by("run", "pk"), key=lambda claim: claim.run)]


def _decided(result: AdjudicationResult) -> list[tuple[Any, ...]]:
    table = result.adjudications[result.adjudications["reversal"] == 0]
    columns = [table[name].astype("object").tolist() for name in ("id", "claim", *FIGURES)]
    return list(zip(*columns, strict=True))


def obstacles(organisation: Organisation, claims: Iterable[Claim], on: date) -> dict[int, list[str]]:
    """All that keeps claims from being corrected on a day: being paid, disputed, asked back, held; those that can be
    are not in it.

    Holds of a provider or a contract hold the new claims too; one of a claim, whenever it begins, would be lost.
    """
    status = {claim.pk: claim.status for claim in claims}
    held = standing_holds(organisation, on).filter(claim__in=status)
    asked = ClawbackLine.objects.filter(claim_line__claim__in=status).exclude(upheld_minor=0)
    found = {pk: [_BLOCKED[state]] for pk, state in status.items() if state in _BLOCKED}
    for pk in held.order_by("claim").values_list("claim", flat=True).distinct():
        found.setdefault(pk, []).append(HELD)
    for pk in asked.order_by("claim_line__claim").values_list("claim_line__claim", flat=True).distinct():
        found.setdefault(pk, []).append(ASKED_BACK)
    return found


def in_words(left_out: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Claims that are left out, each once, with all reasons in words; ``left_out`` has a row a reason."""
    rows: dict[int, dict[str, Any]] = {}
    for row in left_out:
        words = str(LEFT_OUT[row["reason"]])
        known = rows.setdefault(row["id"], {"id": row["id"], "claim": row["claim"], "words": words})
        if known["words"] != words:
            known["words"] += f"; {words}"
    return list(rows.values())


def is_allowed(organisation: Organisation, key: str, on: date) -> bool:
    """Whether a yes-or-no parameter of corrections says yes; no when nothing is said."""
    value = ParameterBook.load(organisation, key).get(key, on)
    return value is not None and value.flag


def is_closed_year(organisation: Organisation, month: date) -> bool:
    """Whether the year of a month is closed."""
    return YearClosing.objects.filter(organisation=organisation, year=month.year, status="approved").exists()


def correctable_months(organisation: Organisation) -> list[date]:
    """Closed months with decisions, newest first."""
    judged = AdjudicationRun.objects.filter(organisation=organisation, status="done").values("period")
    rows = ClosedMonth.objects.filter(organisation=organisation, month__in=judged)
    return list(rows.order_by("-month").values_list("month", flat=True))


def corrections(access: Access, search: str = "") -> QuerySet[Correction]:
    """The office sees its corrections; a provider the approved ones that change a claim of its own. Newest first.

    The reason is the office's: a provider does not find a correction by it.
    """
    parts = ("organisation", "proposed_by", "approved_by", "run")
    rows = Correction.objects.select_related(*parts).order_by("-proposed_at", "-id")
    if access.may("claims.submit"):
        own = CorrectionLine.objects.filter(provider=provider_of(access.user))
        rows = rows.filter(status="approved", pk__in=own.values("correction"))
    else:
        rows = rows.filter(organisation=access.office())
    if search:
        reason = Q() if access.may("claims.submit") else Q(reason__icontains=search)
        rows = rows.filter(Q(number__icontains=search) | reason)
    return rows


def to_approve(access: Access) -> QuerySet[Correction]:
    """Corrections that wait for another person than who prepared them."""
    rows = Correction.objects.filter(organisation=access.office(), status="proposed")
    return rows.exclude(proposed_by=access.user)


def lines_of(correction: Correction, access: Access, search: str = "") -> QuerySet[CorrectionLine]:
    """Corrected lines that the reader may see."""
    rows = correction.lines.select_related("claim_line__claim", "claim_line__service", "provider", "recipient")
    if access.may("claims.submit"):
        rows = rows.filter(provider=provider_of(access.user))
    if search:
        words = Q(claim_line__claim__number__icontains=search) | Q(provider__name__icontains=search)
        rows = rows.filter(words | Q(recipient__code__icontains=search) | Q(checks__icontains=search))
    return rows.order_by("claim_line__claim__number", "claim_line__line")


def lines_of_recipient(correction: Correction, recipient: Recipient) -> QuerySet[CorrectionLine]:
    """What a correction changes for one recipient."""
    rows = correction.lines.filter(recipient=recipient)
    return rows.select_related("claim_line__claim", "claim_line__service", "provider", "recipient").order_by(
        "claim_line__service_date", "id"
    )


def with_titles(lines: Iterable[CorrectionLine]) -> list[tuple[CorrectionLine, list[str]]]:
    """Lines with the checks that take another sum than before, in words."""
    return [(line, [title_of(code) for code in line.checks]) for line in lines]


@dataclass(frozen=True)
class Sums:
    """Was, becomes and difference of one figure, minor units."""

    was: int
    becomes: int

    @property
    def difference(self) -> int:
        """What is added, negative when it becomes less."""
        return self.becomes - self.was


def sums_of(rows: QuerySet[CorrectionLine]) -> dict[str, Sums]:
    """Sums of lines: gross (due to providers), fee (of recipients), payable (of the budget)."""
    names = ("gross", "fee", "payable")
    totals = rows.order_by().aggregate(**{f"{name}_{when}": Sum(f"{name}_{when}") for name in names for when in _WHEN})
    return {name: Sums(*(int(totals[f"{name}_{when}"] or 0) for when in _WHEN)) for name in names}


_WHEN = ("was", "becomes")


def providers_of_correction(correction: Correction) -> QuerySet[CorrectionLine, dict[str, Any]]:
    """Of each provider: its lines and differences, minor units."""
    return (
        correction.lines.order_by()
        .values("provider_id", "provider__name")
        .annotate(
            lines=Count("id"),
            gross=Sum(F("gross_becomes") - F("gross_was")),
            fee=Sum(F("fee_becomes") - F("fee_was")),
            payable=Sum(F("payable_becomes") - F("payable_was")),
        )
        .order_by("provider__name", "provider_id")
    )


def recipients_of_correction(correction: Correction) -> QuerySet[CorrectionLine, dict[str, Any]]:
    """Of each recipient whose fee or visits change: its lines and fee, was and becomes."""
    return (
        correction.lines.filter(recipient__isnull=False)
        .order_by()
        .values("recipient_id", "recipient__code")
        .annotate(
            lines=Count("id"),
            was=Sum("fee_was"),
            becomes=Sum("fee_becomes"),
        )
        .order_by("recipient__code", "recipient_id")
    )


def claims_of_correction(correction: Correction, access: Access) -> QuerySet[CorrectionClaim]:
    """Claims taken back with their copies, as far as the reader may see them."""
    rows = correction.claims.select_related("claim__provider", "reversal", "new_claim").order_by("claim__number")
    return rows.filter(claim__provider=provider_of(access.user)) if access.may("claims.submit") else rows


def corrections_of(claim: Claim) -> QuerySet[Correction]:
    """Corrections that took a claim back or had it judged in place of another."""
    parts = Q(claims__claim=claim) | Q(claims__reversal=claim) | Q(claims__new_claim=claim)
    return Correction.objects.filter(parts).distinct().order_by("pk")


@dataclass(frozen=True)
class TakenBack:
    """What became of a claim that was taken back: by which claim, by which correction, and the lines instead of its
    own. A correction's copy has every line under its number; without one the provider claims visits again, or not.
    """

    reversal: Claim | None
    correction: Correction | None
    instead: QuerySet[ClaimLine]

    @property
    def claims(self) -> QuerySet[Claim]:
        """The claims that stand for it now."""
        return Claim.objects.filter(pk__in=self.instead.values("claim")).order_by("pk")


def taken_back(claim: Claim, line: ClaimLine | None = None) -> TakenBack | None:
    """None while the claim stands; with a line, the lines that stand for that one."""
    if claim.status != "reversed" or claim.reverses_id is not None:
        return None
    corrected = CorrectionClaim.objects.filter(claim=claim).select_related("correction", "reversal").first()
    if corrected is not None:
        copies = ClaimLine.objects.filter(claim=corrected.new_claim_id)
        rows = copies.filter(line=line.line) if line else copies
        return TakenBack(corrected.reversal, corrected.correction, rows.select_related("claim"))
    own = claim.lines.filter(pk=line.pk) if line else claim.lines.all()
    visits = own.exclude(redemption_code="").values("redemption_code")
    again = ClaimLine.objects.filter(
        redemption_code__in=visits, claim__organisation=claim.organisation_id, claim__provider=claim.provider_id,
        claim__reverses=None, claim__pk__gt=claim.pk,
    ).exclude(claim__status__in=("draft", "withdrawn", "reversed"))  # fmt: skip
    reversal = claim.reversals_in_force().order_by("pk").last()
    return TakenBack(reversal, None, again.select_related("claim").order_by("claim", "line"))


def own_corrections(user: User) -> QuerySet[Correction]:
    """Approved corrections that change something for the recipient who is signed in."""
    own = CorrectionLine.objects.filter(recipient__user=user)
    rows = Correction.objects.filter(status="approved", pk__in=own.values("correction"))
    return rows.select_related("organisation").order_by("-status_at", "-id")


def objections_to_answer(access: Access) -> QuerySet[CorrectionObjection]:
    """Objections without an answer that the reader may answer: who had no part in the correction."""
    rows = CorrectionObjection.objects.filter(correction__organisation=access.office(), answer=None)
    mine = Q(correction__proposed_by=access.user) | Q(correction__approved_by=access.user)
    return rows.exclude(mine | Q(submitted_by=access.user)).select_related("correction", "recipient")


def disputable_until(correction: Correction) -> date:
    """The last day on which an approved correction can be disputed: working days after it was approved."""
    return term_ends(correction.organisation, TERM, correction.status_at or correction.proposed_at)


def proposers_of(runs: Sequence[int]) -> set[int]:
    """Who prepared the corrections behind runs: they had a part in what was decided."""
    return set(Correction.objects.filter(run__in=runs).values_list("proposed_by_id", flat=True))
