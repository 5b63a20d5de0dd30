"""What correcting a month does: claims are taken back and judged again in one run, and everything that follows from it.

The preview and the posting are the same steps; of the preview nothing is kept. So what was seen is what is posted.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import F, Max, Q, Sum

from config.accounts.models import Organisation
from config.audit.actors import Actor
from config.clock import local_date
from config.locks import lock_rows
from config.transactions import step
from contracts.models import BudgetEntry
from settlement.actions.adjudication import play_batch
from settlement.actions.advance_money import reuse_asked_back
from settlement.actions.claim_copies import copy_claim
from settlement.actions.claims import take_back
from settlement.actions.fees import charge_difference
from settlement.actions.run_posting import lock_budgets
from settlement.models import AdjudicationRun, Claim, FeeCharge, Posting
from settlement.run_queries import NextRun, number_of_late_run
from vouchers.models import Certificate, CertificateEntry

# Each line beside the line of the copy that stands for it, where the decision is another one. A line that waited and
# was then judged again has two decisions; the last one stands.
_CHANGED = """
SELECT l.id, l.claim_id, q.provider_id, c.recipient_id, was.outcome, now.outcome, was.units_allowed, now.units_allowed,
    was.rate_allowed, now.rate_allowed, was.gross, now.gross, was.fee, now.fee, was.payable, now.payable, x.codes
FROM unnest(%(old)s::bigint[], %(new)s::bigint[]) p (old, new)
JOIN settlement_claimline l ON l.claim_id = p.old
JOIN settlement_claimline n ON n.claim_id = p.new AND n.line = l.line
JOIN settlement_claim q ON q.id = p.old
LEFT JOIN vouchers_certificate c ON c.id = COALESCE(l.certificate_id, (SELECT k.id FROM vouchers_certificate k
    WHERE k.organisation_id = q.organisation_id AND k.number = l.certificate_number))
CROSS JOIN LATERAL (SELECT * FROM settlement_adjudication a WHERE a.claim_line_id = l.id AND a.reverses_id IS NULL
    ORDER BY a.id DESC LIMIT 1) was
CROSS JOIN LATERAL (SELECT * FROM settlement_adjudication a WHERE a.claim_line_id = n.id AND a.reverses_id IS NULL
    ORDER BY a.id DESC LIMIT 1) now
CROSS JOIN LATERAL (
    SELECT COALESCE(array_agg(t.code ORDER BY t.code), '{}') AS codes FROM (
        SELECT s.code FROM (
            SELECT f.check_code AS code, f.amount FROM settlement_finding f
            WHERE f.run_id = was.run_id AND f.claim_line_id = l.id
            UNION ALL
            SELECT f.check_code, -f.amount FROM settlement_finding f
            WHERE f.run_id = now.run_id AND f.claim_line_id = n.id
        ) s GROUP BY s.code HAVING sum(s.amount) <> 0) t
) x
WHERE (was.outcome, was.units_allowed, was.rate_allowed, was.gross, was.fee, was.payable)
    IS DISTINCT FROM (now.outcome, now.units_allowed, now.rate_allowed, now.gross, now.fee, now.payable)
ORDER BY q.number, l.line
"""
# What was said of a line (k), and the line of the copy (n) that waits for the same reason again.
_PENDS_AGAIN = """FROM unnest(%(old)s::bigint[], %(new)s::bigint[]) p (old, new)
JOIN settlement_claimline l ON l.claim_id = p.old
JOIN settlement_claimline n ON n.claim_id = p.new AND n.line = l.line
JOIN {} k ON k.claim_line_id = l.id
JOIN settlement_finding f ON f.run_id = %(run)s AND f.claim_line_id = n.id AND f.check_code = k.check_code
    AND f.severity = 'P'"""
# What a person decided not to pay, and what waits for the same reason again, is decided already.
_KEPT = f"""
INSERT INTO settlement_keptpend (run_id, claim_line_id, check_code, decided_by_id, reason, recorded_at)
SELECT DISTINCT ON (n.id, k.check_code) %(run)s, n.id, k.check_code, k.decided_by_id, k.reason, %(at)s
{_PENDS_AGAIN.format("settlement_keptpend")}
ORDER BY n.id, k.check_code, k.id DESC
"""
# A proposal that nobody has answered waits for the second person at the copy. The day stays the proposer's.
_PROPOSED = f"""
INSERT INTO settlement_pendproposal (run_id, claim_line_id, check_code, proposed_by_id, reason, recorded_at)
SELECT %(run)s, n.id, k.check_code, k.proposed_by_id, k.reason, k.recorded_at
{_PENDS_AGAIN.format("settlement_pendproposal")}
WHERE NOT EXISTS (SELECT 1 FROM settlement_clearance c WHERE c.proposal_id = k.id)
    AND NOT EXISTS (SELECT 1 FROM settlement_keptpend d WHERE d.proposal_id = k.id)
ORDER BY n.id, k.check_code, k.id
"""  # noqa: S608  SQL is put together from names in this code; every value is a parameter.
# Who works on a pend works on it at the copy.
_ASSIGNED = f"""
INSERT INTO settlement_pendassignment (run_id, claim_line_id, check_code, assigned_to_id, assigned_by_id, recorded_at)
SELECT DISTINCT ON (n.id, k.check_code) %(run)s, n.id, k.check_code, k.assigned_to_id, k.assigned_by_id, k.recorded_at
{_PENDS_AGAIN.format("settlement_pendassignment")}
ORDER BY n.id, k.check_code, k.id DESC
"""


@dataclass(frozen=True)
class Changed:
    """A line whose decision changes; figures as in ``CorrectionLine``."""

    claim_line_id: int
    claim_id: int
    provider_id: int
    recipient_id: int | None
    outcome_was: str
    outcome_becomes: str
    units_was: int
    units_becomes: int
    rate_was: int
    rate_becomes: int
    gross_was: int
    gross_becomes: int
    fee_was: int
    fee_becomes: int
    payable_was: int
    payable_becomes: int
    checks: list[str]

    @property
    def fee_difference(self) -> int:
        """What is added to the recipient's fee, minor units."""
        return self.fee_becomes - self.fee_was


@dataclass(frozen=True)
class Retaken:
    """A claim, the one that takes it back, and its copy."""

    claim: Claim
    reversal: Claim
    new_claim: Claim


@dataclass(frozen=True)
class Outcome:
    """The run of a correction and what follows from it. ``plan``: plain rows (see ``Correction``), minor units."""

    run: AdjudicationRun
    labels: list[str]
    retaken: tuple[Retaken, ...]
    lines: tuple[Changed, ...]
    plan: dict[str, Any]

    @property
    def digest(self) -> str:
        """sha256 of what is signed: every line and everything that moves."""
        rows = [list(vars(line).values()) for line in self.lines]
        return hashlib.sha256(json.dumps([rows, self.plan], sort_keys=True).encode()).hexdigest()

    def total(self, figure: str) -> int:
        """Sum of the differences of a figure."""
        return sum(getattr(row, f"{figure}_becomes") - getattr(row, f"{figure}_was") for row in self.lines)


@step
def play(organisation: Organisation, month: date, claims: Iterable[int], *, actor: Actor, at: datetime) -> Outcome:
    """Take claims back and judge their copies in one run by what is known at ``at``; budgets, certificates, ledger and
    the notices that a recipient already has follow. Entries are dated today.

    Raises: NotReversible, ClaimsChanged, ParameterUnreadable, IntoClosedMonth.
    Locks: budget lines, certificates, claims, notices of fees.
    """
    marks = _begin(organisation, claims)
    rows = lock_claims(organisation, claims)
    number = number_of_late_run(organisation, month)
    retaken = tuple(_retake(claim, number, actor, at) for claim in rows)
    fresh = [each.pk for row in retaken for each in (row.reversal, row.new_claim)]
    reuse_asked_back(organisation, month, number, [row.claim.pk for row in retaken], at=at)
    played = play_batch(
        organisation,
        month,
        NextRun(number, tuple(sorted(fresh)), ()),
        as_of=local_date(at, organisation.zone),
        known_at=at,
        actor=actor,
        at=at,
    )
    params = {"old": [row.claim.pk for row in retaken], "new": [row.new_claim.pk for row in retaken]}
    lines = _changed(params)
    _keep_pends(params | {"run": played.run.pk, "at": at})
    charges = charge_difference(organisation, month, _fee_differences(lines), actor=actor, at=at)
    plan = {
        "accounts": _accounts(organisation, fresh, charges),
        "budget": _budget(organisation, marks),
        "certificates": _certificates(marks),
        "notices": _notices(charges),
        "overspent": played.overspent,
    }
    return Outcome(played.run, played.labels, retaken, lines, plan)


@step
def lock_claims(organisation: Organisation, claims: Iterable[int]) -> list[Claim]:
    """The claims of a correction, locked after what the order of locks puts before them."""
    lock_budgets(organisation)
    lock_rows(Certificate.objects.filter(organisation=organisation, pk__in=_certificates_of(claims)))
    return lock_rows(Claim.objects.filter(pk__in=list(claims), organisation=organisation))


@dataclass(frozen=True)
class _Marks:
    """The last entries of budget lines and certificates before the run."""

    budget: int
    certificates: tuple[int, ...]
    movement: int


@step
def _begin(organisation: Organisation, claims: Iterable[int]) -> _Marks:
    lock_budgets(organisation)
    own = Certificate.objects.filter(organisation=organisation)
    rows = lock_rows(own.filter(pk__in=_certificates_of(claims)))
    certificates = tuple(row.pk for row in rows)
    return _Marks(
        BudgetEntry.objects.aggregate(last=Max("id"))["last"] or 0,
        certificates,
        CertificateEntry.objects.aggregate(last=Max("id"))["last"] or 0,
    )


def _certificates_of(claims: Iterable[int]) -> list[int]:
    query = """SELECT DISTINCT c.id FROM settlement_claimline l JOIN settlement_claim q ON q.id = l.claim_id
        JOIN vouchers_certificate c ON c.organisation_id = q.organisation_id AND c.number = l.certificate_number
        WHERE q.id = ANY(%s)"""
    with connection.cursor() as cursor:
        cursor.execute(query, [list(claims)])
        return [certificate for (certificate,) in cursor.fetchall()]


@step
def _retake(claim: Claim, run: int, actor: Actor, at: datetime) -> Retaken:
    reversal = take_back(claim, actor=actor, at=at)
    return Retaken(
        claim, reversal, copy_claim(claim, submitted_by_id=claim.submitted_by_id, actor=actor, at=at, run=run)
    )


@step
def _keep_pends(params: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_KEPT, params)
        cursor.execute(_PROPOSED, params)
        cursor.execute(_ASSIGNED, params)


def _changed(params: dict[str, Any]) -> tuple[Changed, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_CHANGED, params)
        return tuple(Changed(*row) for row in cursor.fetchall())


def _fee_differences(lines: Iterable[Changed]) -> list[tuple[int, int, int]]:
    sums: dict[tuple[int, int], int] = defaultdict(int)
    for line in lines:
        if line.recipient_id is not None:
            sums[line.recipient_id, line.provider_id] += line.fee_difference
    return [(*key, amount) for key, amount in sorted(sums.items()) if amount]


def _accounts(organisation: Organisation, claims: Sequence[int], charges: Sequence[FeeCharge]) -> list[dict[str, Any]]:
    """What is added to each account, debit positive; zeros are left out, the sum is zero."""
    keys = [f"fee.{word}:{charge.pk}" for charge in charges for word in ("noticed", "lowered")]
    rows = Posting.objects.filter(entry__organisation=organisation).filter(
        Q(claim_id__in=claims) | Q(entry__key__in=keys)
    )
    owners = ("account__provider__name", "account__budget_line__code", "account__neighbour__name")
    sums = rows.values("account__code", "account__kind", *owners)
    return [
        {
            "code": row["account__code"],
            "kind": row["account__kind"],
            "whose": next((row[owner] for owner in owners if row[owner]), ""),
            "amount": int(row["amount"]),
        }
        for row in sums.annotate(amount=Sum(F("debit") - F("credit"))).order_by("account__code")
        if row["amount"]
    ]


def _budget(organisation: Organisation, marks: _Marks) -> list[dict[str, Any]]:
    """What is added to spending, reservations and commitments of each budget line."""
    rows = BudgetEntry.objects.filter(pk__gt=marks.budget, budget_line__organisation=organisation)
    sums = rows.values("budget_line_id", "budget_line__code", "budget_line__year", "kind")
    return [
        {
            "id": row["budget_line_id"],
            "line": f"{row['budget_line__code']} {row['budget_line__year']}",
            "kind": row["kind"],
            "amount": int(row["amount"]),
        }
        for row in sums.annotate(amount=Sum("amount_minor")).order_by("budget_line_id", "kind")
        if row["amount"]
    ]


def _certificates(marks: _Marks) -> list[dict[str, Any]]:
    """Units that go back to each certificate, thousandths; negative when more is taken."""
    rows = CertificateEntry.objects.filter(pk__gt=marks.movement, certificate_line__certificate__in=marks.certificates)
    sums = rows.values(
        "certificate_line__certificate_id", "certificate_line__certificate__number", "certificate_line__service__code"
    )
    return [
        {
            "id": row["certificate_line__certificate_id"],
            "number": row["certificate_line__certificate__number"],
            "service": row["certificate_line__service__code"],
            "units": int(row["units"]),
        }
        for row in sums.annotate(units=Sum("units_milli")).order_by(
            "certificate_line__certificate_id", "certificate_line__service__code"
        )
        if row["units"]
    ]


def _notices(charges: Iterable[FeeCharge]) -> list[dict[str, Any]]:
    """What is added to notices of fees that recipients have."""
    sums: dict[tuple[int, str], int] = defaultdict(int)
    for charge in charges:
        sums[charge.notice_id, charge.notice.number] += charge.amount_minor
    return [{"id": pk, "number": number, "amount": amount} for (pk, number), amount in sorted(sums.items())]


def rising_fees(lines: Iterable[Changed]) -> set[int]:
    """Recipients who would pay more for the month than was decided."""
    sums: dict[int, int] = defaultdict(int)
    for line in lines:
        if line.recipient_id is not None:
            sums[line.recipient_id] += line.fee_difference
    return {recipient for recipient, amount in sums.items() if amount > 0}
