"""The menu: which pages a person may open, grouped by what they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template
from django.template.context import Context
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.demo.accounts import demo_accounts, demo_certificate
from config.links import MONEY_STARTS, model_of_page
from config.office.queries import demo_job

register = template.Library()


@dataclass(frozen=True)
class Item:
    """A line of the menu: for holders of any of the permissions and not of ``unless``, once its URL exists.

    ``under``: beginnings of other addresses that belong to the line, such as those of single papers.
    """

    title: Any
    url_name: str
    permissions: tuple[str, ...]
    unless: str = ""
    under: tuple[str, ...] = ()


MENU: tuple[tuple[Any, tuple[Item, ...]], ...] = (
    (
        _("Competitions"),
        (
            Item(_("Plans of needs"), "procurement:plans", ("plans.view",)),
            Item(_("Competitions"), "procurement:competitions", ("tenders.view",)),
            Item(_("My bids"), "procurement:bids", ("bids.submit",)),
        ),
    ),
    (
        _("Recipients"),
        (
            Item(_("Recipients"), "vouchers:recipients", ("recipients.view",)),
            Item(_("Certificates"), "vouchers:certificates", ("recipients.view", "fees.view")),
            Item(_("My certificate"), "vouchers:mine", ("certificates.view",), unless="fees.view"),
            Item(_("Recipients' fees"), "settlement:fee_notices", ("fee_notices.view",)),
            Item(_("Fees decided anew"), "settlement:fee_revisions", ("fees.view",)),
            Item(
                _("What I pay"),
                "settlement:own_fees",
                ("fee_notices.pay",),
                unless="fee_notices.view",
                under=("/settlement/fees/",),
            ),
            Item(
                _("Corrections of past months"),
                "settlement:own_corrections",
                ("corrections.own",),
                under=("/settlement/fees-anew/mine/",),
            ),
        ),
    ),
    (
        _("Services provided"),
        (
            Item(_("Redeem a certificate"), "vouchers:redeem", ("certificates.redeem",)),
            Item(_("Redemptions"), "vouchers:redemptions", ("redemptions.view",)),
            Item(_("Import of visits"), "vouchers:visits_import", ("certificates.redeem",)),
        ),
    ),
    (
        _("Settlement"),
        (
            Item(_("Claims"), "settlement:claims", ("claims.view",), under=("/settlement/claim-lines/",)),
            Item(_("Appeals"), "settlement:appeals", ("claims.view",)),
            Item(_("Settlement forms"), "settlement:forms", ("settlement_forms.draw",)),
            Item(_("Advances"), "settlement:advances", ("advances.view",)),
            Item(_("Money asked back"), "settlement:clawbacks", ("clawbacks.view",)),
            Item(_("Waiting for a person"), "settlement:pends", ("claims.clear",)),
            Item(_("Patterns"), "settlement:patterns", ("runs.view",)),
            Item(_("Visits to be verified"), "settlement:verifications", ("verifications.view",)),
            Item(_("Facts for checks"), "settlement:facts_start", ("register.edit", "recipients.edit")),
            Item(_("Adjudication runs"), "settlement:adjudication_runs", ("runs.view",)),
            Item(_("Payment runs"), "settlement:payment_runs", ("payment_runs.view",)),
            Item(_("Payments"), "settlement:payments", ("payment_runs.view",)),
            Item(_("Holds of payments"), "settlement:holds", ("payment_runs.view",)),
            Item(_("Payment deadlines"), "settlement:deadlines", ("payment_runs.view",)),
            Item(
                _("Bank statements"),
                "settlement:statements",
                ("statements.view",),
                under=("/settlement/statement-lines/",),
            ),
            Item(_("Open bank records"), "settlement:open_bank_lines", ("statements.view",)),
            Item(_("Acts with the bank"), "settlement:bank_acts", ("statements.view",)),
            Item(_("Closing of months"), "settlement:months", ("months.close", "ledger.view")),
            Item(_("Clearing with municipalities"), "settlement:clearing", ("clearing.view",)),
            Item(_("Corrections of closed months"), "settlement:corrections", ("corrections.view",)),
            Item(_("Closing of years"), "settlement:years", ("years.prepare", "years.close", "ledger.view")),
        ),
    ),
    (
        _("Money"),
        (
            Item(_("Budget lines"), "contracts:budget_lines", ("budget.view",)),
            Item(_("Execution of the budget"), "settlement:budget_execution", ("ledger.view",)),
            Item(_("Reports"), "settlement:reports", ("reports.view",)),
            Item(_("Ledger"), "settlement:accounts", ("ledger.view",), under=("/settlement/books/",)),
            Item(_("Trial balance"), "settlement:trial_balance", ("ledger.view",)),
            Item(_("What is open, by age"), "settlement:ageing", ("ledger.view",)),
            Item(_("Follow the money"), "money_start", ("money.follow",)),
        ),
    ),
    (
        _("Contracts and law"),
        (
            Item(_("Contracts"), "contracts:contracts", ("contracts.view",)),
            Item(_("Register of providers"), "contracts:providers", ("register.view",)),
            Item(_("Our workers"), "contracts:own_workers", ("workers.own",)),
            Item(_("Agreements with municipalities"), "contracts:clearing_agreements", ("clearing_agreements.view",)),
            Item(_("Services"), "contracts:services", ("catalogue.view",)),
            Item(_("Territories"), "contracts:territories", ("catalogue.view",)),
            Item(_("Price lists"), "contracts:tariff_sets", ("catalogue.view",)),
            Item(_("Norm costs"), "contracts:norms", ("norms.view",)),
            Item(_("Parameters of law"), "contracts:parameters", ("parameters.view",)),
            Item(_("Audit trail"), "trail", ("trail.view",)),
            Item(_("People with access"), "people", ("users.manage",)),
            Item(_("Keys for programs"), "tokens", ("tokens.own",)),
        ),
    ),
)


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _shown(item: Item, may: frozenset[str]) -> dict[str, Any] | None:
    allowed = may.intersection(item.permissions) and item.unless not in may
    address = _address(item.url_name) if allowed else ""
    return {"title": item.title, "url": address, "under": (address, *item.under), "here": ""} if address else None


def _mark_here(groups: list[dict[str, Any]], path: str) -> None:
    """Mark the one line of which an address is the longest beginning of the present path."""
    lines = [line for group in groups for line in group["items"]]
    found = [(len(start), line) for line in lines for start in line["under"] if path.startswith(start)]
    if found:
        _length, nearest = max(found, key=lambda pair: pair[0])
        nearest["here"] = "page" if nearest["url"] == path else "true"


@register.inclusion_tag("components/menu.html", takes_context=True)
def menu(context: Context) -> dict[str, Any]:
    """The menu of the signed-in person."""
    request = context.get("request")
    may = context.get("may") or frozenset()
    path = request.path if request else ""
    groups = []
    for title, items in MENU:
        shown = [row for item in items if (row := _shown(item, may))]
        if shown:
            groups.append({"title": title, "items": shown})
    _mark_here(groups, path)
    return {"groups": groups, "path": path, "home": _address("home"), "notices": _address("notices")}


@register.inclusion_tag("components/record_links.html", takes_context=True)
def record_links(context: Context) -> dict[str, Any]:
    """From the page of a record to its trail and its money, for those who may see them."""
    match = getattr(context.get("request"), "resolver_match", None)
    model = model_of_page(match.view_name) if match else ""
    pk = match.kwargs.get("pk") if match and model else None
    may = context.get("may") or frozenset()
    money = MONEY_STARTS.get(model, "") if pk and "money.follow" in may else ""
    return {
        "trail_url": reverse("trail_of_object", args=[model, pk]) if pk and "trail.view" in may else "",
        "money_url": reverse("money", args=[money, pk]) if money else "",
    }


@register.inclusion_tag("components/demo_progress.html")
def demo_progress() -> dict[str, Any]:
    """How far the demonstration is, while it is being loaded."""
    return {"job": demo_job()}


@register.simple_tag
def demo_people() -> list[dict[str, str]]:
    """People one can sign in as on a demonstration; nobody on any other installation."""
    if not Organisation.objects.filter(is_demo=True).exists():
        return []
    return demo_accounts()


@register.simple_tag
def demo_voucher() -> dict[str, str] | None:
    """Short code and PIN with which a visitor of the demonstration may redeem a visit."""
    return demo_certificate() if Organisation.objects.filter(is_demo=True).exists() else None
