"""The pages of single papers of settlement; ``{name}`` is filled from ``build_details`` of the settlement tests."""

from __future__ import annotations

from tests.browser.pages import BrowserPage


def _of(address: str, *usernames: str) -> list[BrowserPage]:
    return [BrowserPage(username, address) for username in usernames]


DETAILS: list[BrowserPage] = [
    *_of("/settlement/clawbacks/{clawback}/", "ivan", "nadiia"),
    *_of("/settlement/clawbacks/{clawback_opened}/", "halyna"),
    *_of("/settlement/clawbacks/{clawback_opened}/lines/", "halyna"),
    *_of("/settlement/clawbacks/{clawback_told}/", "nadiia"),
    *_of("/settlement/clawbacks/{clawback_told}/reply/", "nadiia"),
    *_of("/settlement/clawbacks/{clawback_answered}/decide/", "ivan"),
    *_of("/settlement/payment-runs/owed/", "halyna"),
    *_of("/settlement/payment-runs/owed/{owing}/2025-10/", "halyna"),
    *_of("/settlement/clawbacks/{debt}/", "ivan"),
    *_of("/settlement/clawbacks/{debt}/decide/", "ivan"),
    *_of("/settlement/corrections/{correction}/", "nadiia", "mariia"),
    *_of("/settlement/corrections/mine/{correction}/", "olena"),
    *_of("/settlement/corrections/{correction_proposed}/", "ivan"),
    *_of("/settlement/corrections/mine/", "olena"),
    *_of("/settlement/clearing/{clearing}/", "maker.lisna", "checker.zarichchia"),
    *_of("/settlement/clearing/", "maker.lisna"),
    *_of("/settlement/clearing/agreements/{agreement}/", "maker.lisna", "checker.zarichchia"),
    *_of("/settlement/clearing/anew/{anew}/", "maker.lisna"),
    *_of("/settlement/advances/{advance}/", "halyna", "nadiia"),
    *_of("/settlement/advances/{advance_proposed}/", "ivan"),
    *_of("/settlement/fees/{notice}/", "halyna", "olena"),
    *_of("/settlement/fees-anew/", "sofiia"),
    *_of("/settlement/fees-anew/{fee_revision}/", "sofiia", "halyna", "mariia"),
    *_of("/settlement/fees-anew/mine/{fee_revision}/", "olena"),
    *_of("/settlement/years/2024/", "ivan"),
    *_of("/settlement/years/2025/", "halyna"),
    *_of("/settlement/months/2025-11/", "ivan"),
    *_of("/settlement/months/2025-12/", "halyna"),
    *_of("/settlement/bank-acts/{act}/", "ivan"),
    *_of("/settlement/statement-lines/{bank_line}/", "halyna"),
    *_of("/settlement/statement-lines/{bank_line}/divide/", "halyna"),
    *_of("/settlement/open-bank-lines/?age=overdue", "halyna"),
    *_of("/settlement/payment-holds/", "ivan"),
    *_of("/settlement/payment-holds/{hold}/lift/", "ivan"),
    *_of("/settlement/facts/accounts/", "bohdan"),
    *_of("/settlement/facts/accounts/new/", "bohdan"),
    *_of("/settlement/forms/", "maker.samara"),
    *[BrowserPage("maker.samara", f"/settlement/forms/{name}/") for name in ("compensation", "advance")],
    *[
        BrowserPage("halyna", f"/settlement/reports/{name}/?first=2025-11&last=2026-01")
        for name in ("execution", "norms", "prices", "places")
    ],
    *_of("/settlement/claims/{draft}/", "nadiia"),
    *_of("/settlement/claims/{draft}/precheck/", "nadiia"),
    *_of("/settlement/claims/{draft}/correct/", "nadiia"),
    *_of("/settlement/verifications/{verification}/", "sofiia"),
    *_of("/settlement/matches/{match}/undo/", "halyna"),
    *_of("/settlement/statement-lines/{explained}/open/", "halyna"),
    *_of("/settlement/statements/{mistaken}/", "ivan", "halyna"),
    *_of("/contracts/norms/{norm}/", "halyna", "oksana"),
    *_of("/contracts/norms/{norm_draft}/", "bohdan", "oksana"),
    *_of("/contracts/{contract}/", "nadiia"),
    *_of("/contracts/{contract}/past/", "bohdan"),
    *_of("/contracts/past/{past_terms}/", "bohdan", "oksana"),
    *_of("/contracts/past/{past_terms}/withdraw/", "oksana"),
    *_of("/contracts/parameters/proposals/{proposal}/", "pavlo", "oksana"),
]
