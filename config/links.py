"""Which page shows an object: "app.model" to the name of a URL that takes its primary key."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from django.urls import NoReverseMatch, Resolver404, resolve, reverse

# label of a model -> URL name
PAGES: dict[str, str] = {
    "accounts.user": "person",
    "contracts.budgetline": "contracts:budget_line",
    "contracts.contract": "contracts:contract",
    "contracts.normcost": "contracts:norm",
    "contracts.parameter": "parameter",
    "contracts.parameterproposal": "parameter_proposal",
    "contracts.pastterms": "contracts:past_terms",
    "contracts.provider": "contracts:provider",
    "contracts.service": "contracts:service",
    "contracts.tariffset": "contracts:tariff_set",
    "procurement.procurementplan": "procurement:plan",
    "procurement.tender": "procurement:competition",
    "procurement.bid": "procurement:bid",
    "vouchers.recipient": "vouchers:recipient",
    "vouchers.certificate": "vouchers:certificate",
    "vouchers.redemption": "vouchers:redemption",
    "vouchers.feerevision": "settlement:fee_revision",
    "settlement.claim": "settlement:claim",
    "settlement.claimline": "settlement:claim_line",
    "settlement.appeal": "settlement:appeal",
    "settlement.advance": "settlement:advance",
    "settlement.clawbackcase": "settlement:clawback",
    "settlement.clearingstatement": "settlement:clearing_statement",
    "settlement.clearingrevision": "settlement:clearing_revision",
    "contracts.clearingagreement": "settlement:clearing_refunds",
    "settlement.correction": "settlement:correction",
    "settlement.adjudicationrun": "settlement:adjudication_run",
    "settlement.entry": "settlement:entry",
    "settlement.account": "settlement:account",
    "settlement.paymentrun": "settlement:payment_run",
    "settlement.payment": "settlement:payment",
    "settlement.statement": "settlement:statement",
    "settlement.statementline": "settlement:statement_line",
    "settlement.bankact": "settlement:bank_act",
    "settlement.statementlayout": "settlement:statement_layout_edit",
    "settlement.feenotice": "settlement:fee_notice",
}


# label of a model -> start point of follow-the-money
MONEY_STARTS: dict[str, str] = {
    "contracts.budgetline": "budget_line",
    "contracts.contract": "contract",
    "vouchers.certificate": "certificate",
    "vouchers.redemption": "redemption",
    "settlement.claim": "claim",
    "settlement.claimline": "claim_line",
    "settlement.payment": "payment",
    "settlement.statementline": "statement_line",
    "settlement.advance": "advance",
}


def model_of_page(view_name: str) -> str:
    """The "app.model" that a page shows, or empty: the way back of PAGES."""
    return next((model for model, name in PAGES.items() if name == view_name), "")


def url_of_label(label: str) -> str:
    """Address of the page of "app.model:pk", or empty when the object has no page of its own."""
    model, _, key = label.partition(":")
    return url_of(model, key)


@lru_cache(maxsize=4096)
def url_of(model: str, key: str) -> str:
    """Address of the page of a row, or empty."""
    name = PAGES.get(model)
    if not name or not key:
        return ""
    try:
        return reverse(name, args=[key])
    except NoReverseMatch:
        return ""


def may_open(address: str, permissions: Collection[str]) -> bool:
    """Whether a page of this product lets in a holder of the permissions: a link that ends in a refusal is no help."""
    needed = _needed(address.partition("?")[0].partition("#")[0])
    return needed is not None and (not needed or bool(needed.intersection(permissions)))


@lru_cache(maxsize=4096)
def _needed(path: str) -> frozenset[str] | None:
    """Permissions any of which opens the page; None for an address that no page has."""
    try:
        view = resolve(path).func
    except Resolver404:
        return None
    return frozenset(getattr(view, "required_permissions", ()))
