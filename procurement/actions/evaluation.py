"""Scores of the commission's members and the computed result."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from django.utils.translation import gettext_lazy as _

from config.audit.actors import Actor
from config.audit.recording import action, record
from config.errors import DomainError
from config.explanations import steps_as_rows
from procurement.actions.competitions import drop_result, locked, refuse_decided, seat_of, setting
from procurement.models import Bid, BidResult, CommissionMember, Score, Tender
from procurement.queries import marks_in_force, scores_in_force
from procurement.rules.conflict import MemberFacts, QuorumOutcome, quorum
from procurement.rules.scoring import (
    BidFacts,
    CriterionRule,
    ScoringOutcome,
    ScoringParameters,
    outlying,
    score_bids,
)


class MayNotScore(DomainError):
    """Only a voting member with a clean declaration scores."""

    code = "MAY_NOT_SCORE"
    message = _("You may score only after you have declared that you have no interest in the bidders of %(tender)s.")
    http_status = 403


class BidNotValid(DomainError):
    """Only admitted bids are scored."""

    code = "BID_NOT_VALID"
    message = _("This bid is not admitted to scoring.")


class MarkInvalid(DomainError):
    """Off the scale, or not for every criterion."""

    code = "MARK_INVALID"
    message = _("Give a mark from 0 to %(max)s for «%(criterion)s».")


class ScoresLocked(DomainError):
    """A locked score changes only as a new version with a reason."""

    code = "SCORES_LOCKED"
    message = _("Your scores are locked. To change one, give the reason: both versions are kept.")


class ScoresMissing(DomainError):
    """Marks are missing, nothing can be locked or computed."""

    code = "SCORES_MISSING"
    message = _("%(missing)s marks are missing. Every bid needs a mark by every criterion.")


class MarksUnexplained(DomainError):
    """Marks far from the mean of their bid and criterion have no written reason (COI-4)."""

    code = "MARKS_UNEXPLAINED"
    message = _(
        "Marks far from the mean have no written reason: %(marks)s. Each of these members writes the reason "
        "on the scoring sheet; then compute the results."
    )


class ReasonMissing(DomainError):
    """An explanation without words."""

    code = "MARK_REASON_MISSING"
    message = _("Write why your mark is right, or change it.")


class NoReasonAsked(DomainError):
    """The mark is not locked or not far from the others."""

    code = "NO_REASON_ASKED"
    message = _("This mark needs no reason. Look at the scoring sheet anew.")


class NoQuorum(DomainError):
    """Too few members are able to decide."""

    code = "NO_QUORUM"
    message = _("%(able)s of %(voting)s voting members can decide; that is no quorum.")


class BidsUndecided(DomainError):
    """An opened bid is neither admitted nor rejected."""

    code = "BIDS_UNDECIDED"
    message = _("%(bids)s opened bids are neither admitted nor rejected yet.")


@action
def score_bid(*, bid: Bid, marks: Mapping[str, Decimal], actor: Actor, at: datetime, reason: str = "") -> list[Score]:
    """Give a bid a mark for each criterion of the map; a changed locked mark is a new version and needs a reason.

    A result computed from the former marks is dropped.
    Raises: NotAMember, MayNotScore, CompetitionDecided, BidNotValid, MarkInvalid, ScoresLocked. Audit: bid.scored.
    """
    tender = locked(bid.tender)
    seat = _scoring_seat(tender, actor)
    bid.refresh_from_db()
    if bid.status != "valid":
        raise BidNotValid()
    drop_result(tender)
    criteria = {row.code: row for row in tender.criteria.filter(kind="scored")}
    scores = []
    for code, value in marks.items():
        criterion = criteria.get(code)
        if criterion is None or not 0 <= value <= criterion.scale_max:
            title, most = (criterion.title, criterion.scale_max) if criterion else (code, "-")
            raise MarkInvalid(criterion=title, max=most)
        latest = seat.scores.filter(bid=bid, criterion=criterion).order_by("-version").first()
        scores.append(_written(latest, seat, bid, criterion.pk, value, reason, at))
    record(
        "bid.scored",
        tender,
        bid,
        actor=actor,
        at=at,
        marks=dict(marks),
        versions=max((row.version for row in scores), default=0),
    )
    return scores


def _scoring_seat(tender: Tender, actor: Actor) -> CommissionMember:
    seat = seat_of(tender, actor)
    if not _facts(seat).may_score:
        raise MayNotScore(tender=tender.number)
    refuse_decided(tender)
    return seat


def _facts(seat: CommissionMember) -> MemberFacts:
    return MemberFacts(
        str(seat.pk),
        votes=seat.role != "secretary",
        declared=seat.declared_at is not None,
        conflicted=bool(seat.conflict),
    )


def _written(
    latest: Score | None,
    seat: CommissionMember,
    bid: Bid,
    criterion_id: int,
    value: Decimal,
    reason: str,
    at: datetime,
) -> Score:
    if latest is None:
        return Score.objects.create(member=seat, bid=bid, criterion_id=criterion_id, value=value)
    if latest.value == value:
        return latest
    if latest.locked_at is None:
        latest.value = value
        latest.save(update_fields=["value"])
        return latest
    if not reason.strip():
        raise ScoresLocked()
    return Score.objects.create(
        member=seat,
        bid=bid,
        criterion_id=criterion_id,
        version=latest.version + 1,
        value=value,
        reason=reason,
        locked_at=at,
    )


@action
def lock_scores(*, tender: Tender, actor: Actor, at: datetime) -> int:
    """Lock the actor's marks once every valid bid has all of them; returns how many were locked.

    Raises: NotAMember, MayNotScore, CompetitionDecided, ScoresMissing. Audit: scores.locked.
    """
    tender = locked(tender)
    seat = _scoring_seat(tender, actor)
    needed = tender.bids.filter(status="valid").count() * tender.criteria.filter(kind="scored").count()
    given = seat.scores.filter(bid__status="valid").values("bid", "criterion").distinct().count()
    if given < needed:
        raise ScoresMissing(missing=needed - given)
    unlocked = seat.scores.filter(locked_at=None)
    if unlocked.exists():
        drop_result(tender)
    count = unlocked.update(locked_at=at)
    record("scores.locked", tender, seat, actor=actor, at=at, scores=count)
    return count


@action
def explain_mark(*, score: Score, reason: str, actor: Actor, at: datetime) -> Score:
    """Keep the reason of an own mark that lies far from the mean, as a new version of the same mark.

    Source: COI-4. Raises: NotAMember, MayNotScore, CompetitionDecided, NoReasonAsked, ReasonMissing.
    Audit: mark.explained.
    """
    tender = locked(score.bid.tender)
    seat = _scoring_seat(tender, actor)
    asked = next((row for row in unexplained_marks(tender) if row.pk == score.pk and row.member_id == seat.pk), None)
    if asked is None:
        raise NoReasonAsked()
    if not reason.strip():
        raise ReasonMissing()
    drop_result(tender)
    asked.pk, asked.version, asked.reason, asked.locked_at = None, asked.version + 1, reason.strip(), at
    asked._state.adding = True
    asked.save()
    record("mark.explained", tender, asked.bid, actor=actor, at=at, reason=asked.reason)
    return asked


def unexplained_marks(tender: Tender) -> list[Score]:
    """Marks in force that lie too far from the mean and have no reason, once every able member has marked.

    Source: COI-4, coi.outlier_pct as announced.
    """
    if tender.opened_at is None:
        return []
    able = {seat.pk for seat in tender.commission.all() if _facts(seat).may_score}
    judged: dict[tuple[int, int], dict[str, Score]] = {}
    for row in scores_in_force(tender):
        if row.member_id in able and row.bid.status == "valid":
            judged.setdefault((row.bid_id, row.criterion_id), {})[str(row.member_id)] = row
    percent = Decimal(setting(tender, "coi.outlier_pct"))
    full = [rows for rows in judged.values() if len(rows) == len(able)]
    return [row for rows in full for row in _far(rows, percent) if not row.reason.strip()]


def _far(rows: Mapping[str, Score], percent: Decimal) -> list[Score]:
    scale_max = Decimal(next(iter(rows.values())).criterion.scale_max)
    far = outlying(marks={code: row.value for code, row in rows.items()}, scale_max=scale_max, percent=percent)
    return [row for code, row in rows.items() if code in far]


def _check_explained(tender: Tender) -> None:
    lacking = unexplained_marks(tender)
    if lacking:
        raise MarksUnexplained(
            marks="; ".join(f"{row.member.user}, {row.bid.provider}, «{row.criterion}»" for row in lacking)
        )


@action
def evaluate_tender(*, tender: Tender, actor: Actor, at: datetime) -> ScoringOutcome:
    """Compute the result of every valid bid from the locked marks and keep its rows; a later conflict recomputes it.

    Formula: SCORE-332. Source: SCO-1, COI-2. Raises: CompetitionDecided, BidsUndecided, NoQuorum, ScoresMissing,
    MarksUnexplained. Audit: tender.evaluated.
    """
    tender = locked(tender)
    refuse_decided(tender)
    undecided = tender.bids.filter(status__in=["submitted", "opened"]).count()
    if tender.opened_at is None or undecided:
        raise BidsUndecided(bids=undecided)
    able = check_quorum(tender)
    bids = _bids(tender)
    _check_explained(tender)
    outcome = score_bids(bids=bids, parameters=scoring_parameters(tender), excluded_members=_excluded(tender))
    _keep(tender, outcome)
    tender.evaluated_at = at
    tender.save(update_fields=["evaluated_at"])
    totals = {row.code: str(row.total) for row in outcome.bids if row.rank}
    record("tender.evaluated", tender, actor=actor, at=at, totals=totals, winner=outcome.winner, able=able.able)
    return outcome


def check_quorum(tender: Tender) -> QuorumOutcome:
    """Raises: NoQuorum when too few declared, clean members remain."""
    share = Fraction(setting(tender, "so.quorum"))
    seats = [_facts(seat) for seat in tender.commission.all()]
    outcome = quorum(members=seats, share=Decimal(share.numerator) / share.denominator)
    if not outcome.holds:
        raise NoQuorum(able=outcome.able, voting=outcome.voting)
    return outcome


def scoring_parameters(tender: Tender) -> ScoringParameters:
    """The announced criteria and bounds as the rule takes them."""
    criteria = tuple(
        CriterionRule(
            row.code,
            row.weight,
            row.kind,
            must=row.must,
            breaks_ties=row.code == "experience",
            scale_max=Decimal(row.scale_max),
            title=row.title,
        )
        for row in tender.criteria.order_by("position")
    )
    ceiling = tender.norm_cost.unit_rate if tender.norm_cost else None
    top = Decimal(setting(tender, "so.score_max"))
    return ScoringParameters(criteria, top, tender.threshold or Decimal(0), ceiling)


def _excluded(tender: Tender) -> frozenset[str]:
    return frozenset(str(seat.pk) for seat in tender.commission.all() if not _facts(seat).may_score)


def _bids(tender: Tender) -> list[BidFacts]:
    marks = marks_in_force(tender)
    scored = [row.code for row in tender.criteria.filter(kind="scored")]
    able = [str(seat.pk) for seat in tender.commission.all() if _facts(seat).may_score]
    bids = list(tender.bids.filter(status__in=["valid", "rejected"], submitted_at__isnull=False))
    judged = [marks.get(bid.pk, {}) for bid in bids if bid.status == "valid"]
    missing = sum(member not in own.get(code, {}) for own in judged for code in scored for member in able)
    if missing:
        raise ScoresMissing(missing=missing)
    return [_bid_facts(bid, marks.get(bid.pk, {})) for bid in bids]


def _bid_facts(bid: Bid, marks: Mapping[str, Mapping[str, Decimal]]) -> BidFacts:
    assert bid.submitted_at is not None
    return BidFacts(
        code=str(bid.pk),
        submitted_at=bid.submitted_at,
        price=bid.unit_price,
        recipients=None if bid.recipients_offered is None else Decimal(bid.recipients_offered),
        scores=tuple((code, tuple(members.items())) for code, members in marks.items()),
        rejected=bid.rejection_code,
    )


def _keep(tender: Tender, outcome: ScoringOutcome) -> None:
    BidResult.objects.filter(bid__tender=tender).delete()
    BidResult.objects.bulk_create(
        BidResult(
            bid_id=int(row.code),
            total=row.total or Decimal(0),
            rank=row.rank,
            parts={part.criterion: str(part.points) for part in row.parts} | {"fails": list(row.fails)},
            steps=steps_as_rows(row.steps),
            formula_id=outcome.formula_id,
        )
        for row in outcome.bids
        if row.rank is not None
    )
