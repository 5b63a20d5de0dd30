"""Messages to a person, from the outbox: what happened, in words, what is asked of them, and the way to the record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from config.accounts.access import Access
from config.audit.sentences import sentence_of
from config.links import may_open, url_of_label
from config.office.models import OutboxMessage
from config.pages.trail_words import values_of
from config.pages.waiting import card_of
from config.record_names import full_names_of
from contracts.views.pages import access_of, page_of

_COMPETITION_OVER = _("Nothing more is asked of you in this competition.")
_CORRECT_THE_MONTH = _("Prepare the correction of each closed month named here: the page of the record leads there.")
# What the reader is asked to do, for every kind of message.
ADVICE: dict[str, Any] = {
    "advance.approved": _("Nothing is asked of you. Your claims use the advance up first."),
    "advance.asked_back": _("Return what is left to the account of the office and quote the reference of the advance."),
    "appeal.refused": _("The decision stays as it was. The answer gives the reason."),
    "appeal.submitted": _("Read the appeal and answer it."),
    "appeal.upheld": _("The decision is taken back, and the claim is judged again. Nothing is asked of you."),
    "certificate.guest_to_settle": _(
        "Prepare the correction of each closed month of these days in which the certificate was used: it takes over "
        "what the other municipality knows now."
    ),
    "claim.lapsed": _("Put its visits into a new claim while the time for claiming the month lasts."),
    "claim.returned": _("Correct the claim and submit it again before the term ends."),
    "claim.term_refused": _("Its lines are judged as late. Whoever disagrees can appeal after the run."),
    "claim.term_restored": _("Nothing is asked of you. The claim is judged in the next run."),
    "clawback.decided": _("Read the decision and until when the money is to be given back."),
    "clawback.notified": _("Read what is asked back and reply before the term ends."),
    "clawback.replied": _("Read the reply and decide."),
    "clearing.norm_put_right": _(
        "Open the agreement here and work the refunds out anew: the next clearing statement takes the differences up, "
        "and both municipalities sign it."
    ),
    "contract.past_terms_approved": _CORRECT_THE_MONTH,
    "correction.approved": _("Read what has changed. Whoever disagrees can say so before the term ends."),
    "fee_revision.approved": _("Read what has changed. Whoever disagrees can say so before the term ends."),
    "fee_revision.guest_to_settle": _(
        "Prepare the correction of each closed month of these days in which the certificate was used: it takes over "
        "what the other municipality decided."
    ),
    "fee_revision.to_settle": _("Look which closed months it touches and prepare their correction."),
    "norm_cost.put_right": _CORRECT_THE_MONTH,
    "parameter.put_right": _CORRECT_THE_MONTH,
    "payment_hold.account_changed": _(
        "Nothing is lost. The office rings you on the number of the contract; if the change was not yours, say so at "
        "once."
    ),
    "statement_lines.overdue": _("Open the list of open bank records and explain the oldest first."),
    "tender.cancelled": _COMPETITION_OVER,
    "tender.unsuccessful": _COMPETITION_OVER,
}


@dataclass(frozen=True)
class Notice:
    """A message in the reader's language."""

    at: datetime
    sentence: str
    advice: Any
    values: list[tuple[str, str]]
    record: str
    url: str


@login_required
def notices(request: HttpRequest) -> HttpResponse:
    """The reader's own messages, newest first; a recipient's notices of fees that are not paid stand above them."""
    access = access_of(request)
    page = page_of(request, messages_of(access))
    context = {"page": page, "notices": in_words(page, access), "owed": card_of("own_fees", access)}
    return render(request, "notices.html", context)


def messages_of(access: Access) -> QuerySet[OutboxMessage]:
    """What was written to the person, newest first."""
    rows = OutboxMessage.objects.filter(user=access.user).select_related("organisation")
    return rows.order_by("-created_at", "-id")


def in_words(messages: Iterable[OutboxMessage], access: Access) -> list[Notice]:
    """Messages as a person reads them; a constant number of queries."""
    rows = list(messages)
    names = full_names_of([row.label for row in rows if row.label])
    return [_notice(row, names, access) for row in rows]


def _notice(row: OutboxMessage, names: dict[str, str], access: Access) -> Notice:
    address = url_of_label(row.label)
    currency = row.organisation.currency if row.organisation else ""
    return Notice(
        at=row.created_at,
        sentence=sentence_of(row.code),
        advice=ADVICE.get(row.code, ""),
        values=values_of(row.code, row.params, currency),
        record=names.get(row.label, ""),
        url=address if address and may_open(address, access.permissions) else "",
    )
