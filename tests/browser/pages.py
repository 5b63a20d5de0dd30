"""The pages every browser test opens: add yours here.

A page is who looks, and at which address; ``{name}`` is filled from the rows that ``prepare`` of conftest returns
(``road`` of tests/settlement/road_rows.py: budget_line, contract, certificate, claim, payment ...). A page whose URL
does not exist yet may be added together with its URL only: an address that answers 404 fails the test.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BrowserPage:
    """An address as seen by one of the cast; None: nobody is signed in."""

    username: str | None
    address: str
    status: int = 200

    def __str__(self) -> str:
        return f"{self.username or 'nobody'}-{self.address.strip('/').replace('/', '.') or 'home'}"


PAGES: list[BrowserPage] = [
    BrowserPage(None, "/sign-in/"),
    *[
        BrowserPage(username, "/")
        for username in (
            "bohdan",
            "sofiia",
            "halyna",
            "ivan",
            "mariia",
            "oksana",
            "pavlo",
            "admin",
            "chair",
            "nadiia",
            "olena",
            "outsider",
        )
    ],
    BrowserPage("mariia", "/trail/"),
    BrowserPage("mariia", "/trail/check/"),
    BrowserPage("mariia", "/trail/accounts.organisation/{organisation}/"),
    BrowserPage("halyna", "/notices/"),
    BrowserPage("nadiia", "/notices/"),
    BrowserPage("admin", "/people/"),
    BrowserPage("admin", "/people/new/"),
    BrowserPage("mariia", "/money/"),
    BrowserPage("mariia", "/money/budget_line/{budget_line}/"),
    BrowserPage("halyna", "/money/claim/{claim}/"),
    # contracts
    BrowserPage("bohdan", "/contracts/"),
    BrowserPage("bohdan", "/contracts/{contract}/"),
    BrowserPage("bohdan", "/contracts/providers/"),
    BrowserPage("bohdan", "/contracts/services/"),
    BrowserPage("bohdan", "/contracts/norms/"),
    BrowserPage("oksana", "/contracts/parameters/"),
    BrowserPage("halyna", "/contracts/budget/"),
    BrowserPage("halyna", "/contracts/budget/{budget_line}/"),
    # procurement
    BrowserPage("bohdan", "/procurement/plans/"),
    BrowserPage("bohdan", "/procurement/competitions/"),
    BrowserPage("bohdan", "/procurement/competitions/{tender}/"),
    BrowserPage("nadiia", "/procurement/bids/"),
    # vouchers
    BrowserPage("sofiia", "/vouchers/recipients/"),
    BrowserPage("sofiia", "/vouchers/certificates/"),
    BrowserPage("sofiia", "/vouchers/certificates/{certificate}/"),
    BrowserPage("nadiia", "/vouchers/redeem/"),
    BrowserPage("nadiia", "/vouchers/redemptions/"),
    BrowserPage("nadiia", "/vouchers/visits/import/"),
    BrowserPage("olena", "/vouchers/mine/"),
    # settlement
    BrowserPage("nadiia", "/settlement/claims/"),
    BrowserPage("nadiia", "/settlement/claims/new/"),
    BrowserPage("nadiia", "/settlement/claims/{claim}/"),
    BrowserPage("halyna", "/settlement/claim-lines/{claim_line}/"),
    BrowserPage("halyna", "/settlement/pends/"),
    BrowserPage("mariia", "/settlement/books/accounts/"),
    BrowserPage("mariia", "/settlement/books/accounts/{account}/"),
    BrowserPage("mariia", "/settlement/books/trial-balance/"),
    BrowserPage("mariia", "/settlement/books/entries/{entry}/"),
    BrowserPage("mariia", "/settlement/books/budget/"),
    BrowserPage("halyna", "/settlement/runs/"),
    BrowserPage("halyna", "/settlement/runs/{adjudication_run}/"),
    BrowserPage("halyna", "/settlement/payment-runs/"),
    BrowserPage("ivan", "/settlement/payment-runs/{payment_run}/"),
    BrowserPage("halyna", "/settlement/payments/"),
    BrowserPage("ivan", "/settlement/payments/{payment}/"),
    BrowserPage("halyna", "/settlement/statements/"),
    BrowserPage("halyna", "/settlement/statements/{statement}/"),
    BrowserPage("halyna", "/settlement/statement-lines/{statement_line}/"),
    BrowserPage("ivan", "/settlement/months/"),
    BrowserPage("nadiia", "/settlement/claims/{claim}/appeal/"),
    BrowserPage("nadiia", "/settlement/claims/new/spreadsheet/"),
    BrowserPage("mariia", "/settlement/claim-lines/{claim_line}/replay/"),
    BrowserPage("halyna", "/settlement/claims/{claim}/clawback/"),
    BrowserPage("halyna", "/settlement/pends/decisions/"),
    *[
        BrowserPage("halyna", f"/settlement/{name}/")
        for name in (
            "reports",
            "forms",
            "clearing",
            "clearing/new",
            "appeals",
            "advances",
            "advances/new",
            "clawbacks",
            "corrections",
            "corrections/new",
            "corrections/months",
            "fees/issue/2025-11",
            "patterns",
            "patterns/closeness",
            "verifications",
            "payment-deadlines",
            "payment-holds",
            "payment-holds/new",
            "fees",
            "statements/new",
            "statements/layout",
            "years",
            "open-bank-lines",
            "bank-acts",
        )
    ],
    BrowserPage("sofiia", "/settlement/facts/"),
    BrowserPage("mariia", "/settlement/books/ageing/"),
    BrowserPage("mariia", "/settlement/books/entries/"),
    BrowserPage("olena", "/settlement/fees/mine/"),
    BrowserPage("olena", "/settlement/corrections/mine/"),
    BrowserPage("halyna", "/trail/", status=403),
    BrowserPage("outsider", "/no-such-page/", status=404),
]
