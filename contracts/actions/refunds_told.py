"""Who is told when an issuer puts a norm cost right by which it refunded visits bought elsewhere."""

from __future__ import annotations

from datetime import datetime

from config.accounts.people import people_with
from config.office.messages import tell
from config.transactions import step
from contracts.models import NormCost
from contracts.settled_queries import refunded_by_norm


@step
def tell_refunded(norm: NormCost, *, at: datetime) -> None:
    """The finance office of each municipality whose visits were refunded by the norm cost of these days."""
    for row in refunded_by_norm(norm, norm.valid_to):
        told = {
            "home": norm.organisation.name,
            "valid_from": norm.valid_from.isoformat(),
            "months": [f"{month:%Y-%m}" for month in row.months],
            "lines": row.lines,
        }
        host = row.agreement.host_id
        tell(people_with(host, "clearing.answer"), host, row.agreement, "clearing.norm_put_right", told, at=at)
