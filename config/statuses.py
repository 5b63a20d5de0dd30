"""States and outcomes in words, with the tone of their badge: one table for all pages."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

GOOD, WARN, BAD, WAIT, PLAIN = "good", "warn", "bad", "wait", ""

# state -> (words, tone)
STATUSES: dict[str, tuple[Any, str]] = {
    # drafts and decisions
    "draft": (_("being prepared"), PLAIN),
    "submitted": (_("submitted"), WAIT),
    "returned": (_("returned"), WARN),
    "withdrawn": (_("withdrawn"), PLAIN),
    "approved": (_("approved"), GOOD),
    "rejected": (_("rejected"), BAD),
    "cancelled": (_("cancelled"), BAD),
    "closed": (_("closed"), PLAIN),
    "proposed": (_("waits for approval"), WAIT),
    # competitions, bids, awards, contracts, milestones
    "planning": (_("in planning"), PLAIN),
    "planned": (_("announced"), WAIT),
    "active": (_("in force"), GOOD),
    "complete": (_("complete"), GOOD),
    "unsuccessful": (_("unsuccessful"), BAD),
    "opened": (_("opened"), WAIT),
    "valid": (_("admitted"), GOOD),
    "pending": (_("waits"), WAIT),
    "terminated": (_("terminated"), PLAIN),
    "scheduled": (_("scheduled"), WAIT),
    "met": (_("met"), GOOD),
    "notMet": (_("not met"), BAD),
    "partiallyMet": (_("partly met"), WARN),
    "satisfied": (_("satisfied"), GOOD),
    "declined": (_("declined"), BAD),
    # certificates and redemptions
    "issued": (_("issued"), WAIT),
    "suspended": (_("suspended"), WARN),
    "exhausted": (_("used up"), PLAIN),
    "expired": (_("expired"), PLAIN),
    "replaced": (_("replaced"), PLAIN),
    "authorised": (_("authorised"), WAIT),
    "confirmed": (_("confirmed"), GOOD),
    "voided": (_("voided"), PLAIN),
    "reversed": (_("reversed"), WARN),
    # claims, runs, payments
    "adjudicated": (_("adjudicated"), GOOD),
    "disputed": (_("disputed"), WARN),
    "paid": (_("paid"), GOOD),
    # clawbacks and advances
    "due": (_("to be returned"), WARN),
    "found": (_("found, not told yet"), PLAIN),
    "notified": (_("waits for the provider's reply"), WAIT),
    "replied": (_("waits for a decision"), WAIT),
    "decided": (_("to be returned"), WARN),
    "recovered": (_("money is back"), GOOD),
    "whole": (_("upheld in whole"), PLAIN),
    "part": (_("upheld in part"), PLAIN),
    "dropped": (_("dropped"), PLAIN),
    "open": (_("open"), WAIT),
    "done": (_("done"), GOOD),
    "released": (_("released for payment"), WAIT),
    "prepared": (_("prepared"), PLAIN),
    "requested": (_("asked for"), WAIT),
    "refunded": (_("given back"), GOOD),
    "sent": (_("sent"), WAIT),
    "failed": (_("failed"), BAD),
    "accepted": (_("accepted"), GOOD),
    "reduced": (_("reduced"), WARN),
    "reduced_to_nothing": (_("reduced to nothing"), BAD),
    "pended": (_("waits for a person"), WAIT),
    "left_unpaid": (_("decided: not paid"), BAD),
    # clearing between municipalities
    "drawn": (_("waits for signatures"), WAIT),
    "agreed": (_("agreed"), GOOD),
    "settled": (_("settled"), GOOD),
    # statements
    "quarantined": (_("set aside"), WARN),
    "imported": (_("imported"), WAIT),
    "refused": (_("refused"), BAD),
    "reconciled": (_("reconciled"), GOOD),
    "unmatched": (_("not matched"), WARN),
    "partial": (_("partly matched"), WARN),
    "matched": (_("matched"), GOOD),
    "explained": (_("explained"), GOOD),
    # findings
    "R": (_("rejects"), BAD),
    "P": (_("asks a person"), WAIT),
    "C": (_("cuts"), WARN),
    "W": (_("warns"), PLAIN),
    "block": (_("blocks"), BAD),
    "warn": (_("warns"), WARN),
    "info": (_("for information"), PLAIN),
    # jobs
    "waiting": (_("waits"), WAIT),
    "running": (_("running"), WAIT),
}


def label_of_status(code: str) -> str:
    """The state in the reader's language; an unknown one as it is."""
    return str(STATUSES.get(code, (code, PLAIN))[0])


def tone_of_status(code: str) -> str:
    """CSS tone of the badge."""
    return STATUSES.get(code, (code, PLAIN))[1]
