"""Which competitions and bids a reader may see."""

from __future__ import annotations

from django.db.models import QuerySet

from config.accounts.access import Access
from config.errors import NotFound, NotPermitted
from contracts.models import Provider
from contracts.queries import provider_of
from contracts.views.pages import one_of
from procurement import queries
from procurement.models import Bid, Tender

OFFICE = ("tenders.edit", "tenders.approve", "plans.view")


def tenders_for(access: Access) -> QuerySet[Tender]:
    """The office sees its organisation's, a member those of the own commissions, a provider the published ones."""
    if any(access.may(permission) for permission in OFFICE):
        return queries.tenders_of_office(access.office())
    if access.may("bids.score"):
        return queries.tenders_of_member(access.user)
    return queries.tenders_published()


def own_provider(access: Access) -> Provider:
    """The provider the reader acts for. Raises: NotPermitted."""
    provider = provider_of(access.user)
    if provider is None:
        raise NotPermitted()
    return provider


def bid_for(access: Access, pk: int) -> tuple[Bid, bool]:
    """A bid and whether it is the reader's own. Raises: NotFound: before opening nobody else learns its content."""
    bid = queries.bid_with_parts(pk)
    if bid is None:
        raise NotFound()
    own = access.may("bids.submit") and bid.provider.users.filter(user=access.user).exists()
    if own:
        return bid, True
    if not access.may("bids.view") or not queries.readable(bid):
        raise NotFound()
    one_of(tenders_for(access), bid.tender_id)
    return bid, False
