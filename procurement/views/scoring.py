"""The scoring sheet of a commission member."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from config.accounts.access import Access, requires
from config.accounts.models import User
from config.errors import DomainError
from contracts.views.pages import access_of, one_of, perform
from procurement import queries
from procurement.actions import evaluation
from procurement.forms import MarksForm
from procurement.models import Bid, Score, Tender


@dataclass(frozen=True)
class Sheet:
    """A bid with the member's marks of it."""

    bid: Bid
    form: MarksForm

    @property
    def missing(self) -> int:
        """Criteria without a kept mark."""
        return len(self.form.codes) - len(self.form.kept)

    @property
    def locked(self) -> bool:
        """Whether every mark is locked."""
        return not self.missing and all(score.locked_at for score in self.form.kept.values())


@requires("bids.score")
def scoring_sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """Own marks of every admitted bid on one form; other members' marks are not shown.

    All that was typed is kept at once; what is wrong comes back in its place beside all that was typed.
    """
    access = access_of(request)
    tender: Tender = one_of(queries.tenders_of_member(access.user), pk)
    sheets = _sheets(tender, access.user, request.POST if request.method == "POST" else None)
    refusal = None
    if request.method == "POST" and all(row.form.is_valid() for row in sheets):
        try:
            return _kept(request, access, tender, sheets)
        except DomainError as error:
            refusal = error
    return _sheet_page(request, tender, sheets, refusal)


@require_POST
@requires("bids.score")
def mark_explain(request: HttpRequest, pk: int) -> HttpResponse:
    """The reason of an own mark that lies far from the mean."""
    access = access_of(request)
    score: Score = one_of(Score.objects.filter(member__user=access.user).select_related("bid__tender"), pk)
    return perform(
        request,
        lambda: evaluation.explain_mark(
            score=score,
            reason=request.POST.get("reason", ""),
            actor=access.actor,
            at=access.now(score.bid.tender.organisation),
        ),
        done=_("Your reason is kept."),
        to="procurement:scoring",
        key=score.bid.tender_id,
    )


def _kept(request: HttpRequest, access: Access, tender: Tender, sheets: list[Sheet]) -> HttpResponse:
    """Keep what changed, bid by bid. Marks that were just kept are looked at once more before they are locked."""
    at = access.now(tender.organisation)
    computed, were_locked = tender.evaluated_at is not None, all(row.locked for row in sheets)
    changed, missing = 0, sum(row.missing for row in sheets)
    for row in sheets:
        marks, reason = row.form.changed(), row.form.cleaned_data.get("reason", "")
        changed, missing = changed + len(marks), missing - len(marks.keys() - row.form.kept.keys())
        if marks:
            evaluation.score_bid(bid=row.bid, marks=marks, reason=reason, actor=access.actor, at=at)
    tender.refresh_from_db(fields=["evaluated_at"])
    if computed and tender.evaluated_at is None:
        messages.warning(request, str(_("The results no longer hold: the officer computes them anew.")))
    if "lock" in request.POST and not changed:
        evaluation.lock_scores(tender=tender, actor=access.actor, at=at)
        messages.success(request, str(_("Your marks are locked.")))
        return redirect("procurement:competition", tender.pk)
    say = messages.success if changed or not (missing or were_locked) else messages.warning
    say(request, _told(changed=changed, missing=missing, were_locked=were_locked))
    return redirect("procurement:scoring", tender.pk)


def _told(*, changed: int, missing: int, were_locked: bool) -> str:
    """What was kept and what is left to do."""
    if missing:
        kept = _("Your marks are kept.") if changed else _("You gave no new mark.")
        left = ngettext("%(marks)s mark is still missing.", "%(marks)s marks are still missing.", missing)
        return f"{kept} {left % {'marks': missing}}"
    if were_locked:
        return str(_("Your changed mark is kept with its reason.") if changed else _("Nothing was changed."))
    return str(_("Your marks are kept. Lock them when every bid is judged."))


def _sheets(tender: Tender, user: User, typed: QueryDict | None) -> list[Sheet]:
    criteria = list(tender.criteria.filter(kind="scored").order_by("position"))
    given = queries.scores_of_member(tender, user)
    sheets = []
    for bid in queries.bids_of_tender(tender).filter(status="valid"):
        kept = {row.code: given[bid.pk, row.code] for row in criteria if (bid.pk, row.code) in given}
        sheets.append(Sheet(bid, MarksForm(typed, criteria=criteria, kept=kept, prefix=f"bid{bid.pk}")))
    return sheets


def _sheet_page(request: HttpRequest, tender: Tender, sheets: list[Sheet], refusal: DomainError | None) -> HttpResponse:
    seat = tender.commission.filter(user=access_of(request).user).get()
    context = {
        "tender": tender,
        "sheets": sheets,
        "seat": seat,
        "unexplained": [row for row in evaluation.unexplained_marks(tender) if row.member_id == seat.pk],
        "missing": sum(row.missing for row in sheets),
        "all_locked": all(row.locked for row in sheets),
        "refusal": refusal,
        "wrong": any(row.form.errors for row in sheets),
    }
    return render(request, "procurement/scoring.html", context, status=409 if refusal else 200)
