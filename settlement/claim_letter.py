"""The letter about a decided claim: what was claimed, what is paid, and every reduction in words (PDF/UA-1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import override

from contracts.parameters import ParameterMissing
from settlement import line_queries
from settlement.appeal_queries import DISPUTABLE, appeal_until, disputed_run
from settlement.claim_queries import taken_by_check
from settlement.documents import document_language, pdf_of
from settlement.explanations import LineExplained, explain_lines, waterfall_place
from settlement.fee_queries import collects_fees
from settlement.finding_words import title_of
from settlement.models import Claim, ClaimLine
from settlement.term_queries import restored_term

# Longer lists make a letter that nobody reads and that takes minutes to set; the page shows every line.
LINES_MAX, CHANGED_MAX = 150, 50


def claim_letter(claim: Claim) -> bytes:
    """PDF in the state language; lines that were not allowed in full come with their steps.

    Of a claim that lapsed uncorrected: that it was not judged, why it had been returned, and what can be done.
    """
    if claim.status == "rejected" and claim.run is None:
        context = {
            "claim": claim,
            "last": claim.returns.latest("version"),
            "claimed": line_queries.claimed_minor(claim),
        }
        return pdf_of("documents/claim_lapsed.html", context, claim.organisation, claim.status_at)
    with override(document_language(claim.organisation)):
        context = letter_context(claim)
    return pdf_of("documents/claim_letter.html", context, claim.organisation, claim.status_at)


def letter_context(claim: Claim) -> dict[str, Any]:
    """Figures and words of the letter; sums of all lines, words for the first lines of each list."""
    everything = line_queries.claim_lines(claim)
    counts = line_queries.outcome_counts(claim)
    totals = line_queries.claim_totals(claim)
    lines = list(everything[:LINES_MAX])
    changed = list(line_queries.claim_lines(claim, not_in_full=True)[:CHANGED_MAX])
    return {
        "claim": claim,
        "term": restored_term(claim),
        "totals": totals,
        **line_queries.waits_of(claim, counts.get("pended", 0), totals["pended"]),
        "checks": checks_in_words(claim),
        "noticed": collects_fees(claim.organisation, claim.period),
        "lines": explain(claim, lines),
        "changed": explain(claim, changed),
        "outcomes": [(code, counts[code]) for code in line_queries.OUTCOMES if counts.get(code)],
        "line_total": sum(counts.values()),
        **_appeal(claim),
        "is_short": sum(counts.values()) > LINES_MAX or _changed(counts) > CHANGED_MAX,
    }


def _appeal(claim: Claim) -> dict[str, Any]:
    """Whether the decision can be appealed, and the last day where the law of the office gives one."""
    run = disputed_run(claim, None) if claim.status in DISPUTABLE else None
    try:
        return {"may_appeal": run is not None, "appeal_until": appeal_until(run) if run else None}
    except ParameterMissing:
        return {"may_appeal": True, "appeal_until": None}


def _changed(counts: dict[str, int]) -> int:
    return sum(count for outcome, count in counts.items() if outcome != "accepted")


def checks_in_words(claim: Claim) -> list[dict[str, Any]]:
    """What each check took from the claim, in the order in which checks take, with its title."""
    return in_words(taken_by_check(claim))


def in_words(taken: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of ``taken_by_check`` in the order in which checks take, with their titles."""
    rows = sorted(taken, key=lambda row: waterfall_place(row["check_code"], row["severity"]))
    return [{**row, "title": title_of(row["check_code"])} for row in rows]


def explain(claim: Claim, lines: list[ClaimLine]) -> list[LineExplained]:
    """Lines of a claim, or those that it takes back, in words; a constant number of queries."""
    found = line_queries.histories(lines, claim if claim.reverses_id else None)
    return explain_lines(found, line_queries.line_sources(claim.organisation_id, lines))
