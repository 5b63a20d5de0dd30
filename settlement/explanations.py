"""A line of a claim explained: from what was claimed to what is paid, step by step, each step in words.

The provider's page, the letter and the auditor read the same rows. Amounts are minor units and add up exactly; a line
whose stored figures do not is a bug and is never shown as if it were right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache

from django.utils.formats import date_format
from django.utils.translation import gettext, pgettext

from config.templatetags.show import amount, minor, rate, units
from contracts.models import Service
from settlement.check_grounds import Ground, ground_of
from settlement.finding_bases import Basis, basis_of, decision_basis, fee_decision, scaled, service_of
from settlement.finding_words import EXPLAINING, Figures, advice_of, explains, sentence_of, title_of
from settlement.line_queries import JudgedLine, LineHistory, LineSources
from settlement.models import AdjudicationRun, ClaimLine, Finding
from vouchers.models import FeeAssessment

# The order in which findings take (interchange, "How a run adjudicates", point 4).
RATES, CUTS = ("CLM-16", "CLM-17"), ("CLM-14", "CLM-13", "CLM-12", "CLM-15", "CLM-18", "CLM-19")
TAKING = ("R", "P", "C")
LEFT_UNPAID = "left_unpaid"
FEE = "CLM-35"
DAYS = ("date", "submitted", "deadline", "death", "from", "since", "began", "act_due", "last")
MONEY = {
    "CLM-18": ("limit", "left", "taken"),
    "CLM-19": ("left", "taken"),
    "CLM-36": ("due", "collected"),
    "CLM-37": ("collected", "limit"),
    "CLM-38": ("collected",),
    "CLM-39": ("vat",),
    "CLM-40": ("declared", "written"),
    "CLM-50": ("left", "taken"),
}
UNITS = ("left", "taken", "limit", "step", "units", "mean", "day_limit", "month_limit")


class FiguresDisagree(ValueError):
    """The findings of a line do not add up to what it was paid: the stored rows are damaged."""


@dataclass(frozen=True)
class WaterfallRow:
    """A step. ``amount`` is signed: what a check takes is negative; ``left`` is what remains after the step.

    kind: claimed, finding, taken_back, gross, fee, payable. ``units`` are thousandths that the step took.
    """

    kind: str
    title: str
    amount: int
    left: int
    sentence: str = ""
    code: str = ""
    severity: str = ""
    advice: str = ""
    units: int = 0
    unit: str = ""
    basis: Basis = field(default_factory=Basis)
    ground: Ground = field(default_factory=Ground)


@dataclass(frozen=True)
class LineExplained:
    """A line with its present outcome, in words, and the waterfall of every run that judged it."""

    line: ClaimLine
    service: str
    unit: str
    history: LineHistory
    runs: tuple[tuple[AdjudicationRun, str, tuple[WaterfallRow, ...]], ...]

    @property
    def judged(self) -> JudgedLine | None:
        """What the last run made of it."""
        return self.history.judged[-1] if self.history.judged else None

    @property
    def outcome(self) -> str:
        """The present outcome for a reader: a line of which the cuts left nothing is told apart, and so is one that
        waited until a person decided that it is not paid.
        """
        row = self.judged.adjudication if self.judged else None
        if self.history.left_unpaid:
            return LEFT_UNPAID
        return "" if row is None else shown_outcome(row.outcome, row.gross)

    @property
    def is_written_otherwise(self) -> bool:
        """Whether the provider wrote another sum than units x rate, from which every decision starts."""
        computed = self.line.units_milli * self.line.unit_rate_e4
        return self.line.amount_e4 != (computed + 50_000) // 100_000 * 100

    @property
    def reason(self) -> WaterfallRow | None:
        """Why not everything is allowed: the step of the last decision that explains the others, else the one that
        takes most, the first of equals.
        """
        steps = self.runs[-1][2] if self.runs else ()
        for step in steps:
            if explains(step.code, step.severity):
                return step
        taking = [step for step in steps if step.kind == "finding" and step.amount]
        return min(taking, key=lambda step: step.amount, default=None)


def shown_outcome(outcome: str, gross: int) -> str:
    """The word of an outcome: reduced to nothing is another one than reduced."""
    return "reduced_to_nothing" if outcome == "reduced" and not gross else outcome


def explain_lines(histories: Iterable[LineHistory], sources: LineSources) -> list[LineExplained]:
    """Explain a page of lines; what a run relied on is told as it was known to the run."""
    known = cache(sources.known)
    return [_explained(history, sources, known) for history in histories]


def _explained(history: LineHistory, sources: LineSources, known: Callable[[datetime], LineSources]) -> LineExplained:
    line = history.line
    service = service_of(line, sources)
    runs = tuple(
        (
            judged.adjudication.run,
            outcome_words(judged, left_unpaid=judged is history.judged[-1] and history.left_unpaid is not None),
            tuple(waterfall(line, judged, known(judged.adjudication.run.known_at))),
        )
        for judged in history.judged
    )
    name = service.name if service else line.service_code or "—"
    return LineExplained(line, name, short_unit(service), history, runs)


def outcome_words(judged: JudgedLine, *, left_unpaid: bool = False) -> str:
    """The outcome of a line as a sentence; ``left_unpaid``: it waited, and a person decided that it is not paid."""
    row = judged.adjudication
    if row.reverses_id:
        return gettext("The earlier decision on this line is taken back.")
    sentences = {
        "reduced_to_nothing": gettext("The cuts left nothing of the claimed %(claimed)s."),
        "accepted": gettext("Everything claimed is allowed."),
        "reduced": gettext("%(gross)s of the claimed %(claimed)s are allowed."),
        "rejected": gettext("Nothing is allowed of the claimed %(claimed)s."),
        "pended": gettext("The line waits for a person's decision; nothing of what waits is paid yet."),
        LEFT_UNPAID: gettext("The line waited for a person, and it was decided that it is not paid."),
    }
    currency = row.run.organisation.currency
    return sentences[LEFT_UNPAID if left_unpaid else shown_outcome(row.outcome, row.gross)] % {
        "gross": minor(row.gross, currency),
        "claimed": minor(row.amount_claimed, currency),
    }


def waterfall(line: ClaimLine, judged: JudgedLine, sources: LineSources) -> list[WaterfallRow]:
    """From claimed to payable. Raises: FiguresDisagree.

    Example (SET-1): 2 058.00 claimed, -63.00 rate, -142.50, -142.50, -190.00, 1 520.00 allowed, -1 278.00 fee,
    242.00 payable.
    """
    row = judged.adjudication
    unit = short_unit(service_of(line, sources))
    rows = [_claimed(line, judged, unit)]
    if row.reverses_id and row.gross != row.amount_claimed:
        fall = row.gross - row.amount_claimed
        title = gettext("Reductions of the decision that is taken back")
        rows.append(WaterfallRow("taken_back", title, fall, rows[-1].left + fall))
    for finding in in_waterfall_order(judged.findings):
        rows.append(_finding(finding, line, judged, sources, rows[-1].left))
    if rows[-1].left != row.gross:
        raise FiguresDisagree(f"line {line}: findings leave {rows[-1].left}, allowed {row.gross}")
    if row.gross - row.fee != row.payable:
        raise FiguresDisagree(f"line {line}: {row.gross} less fee {row.fee} is not {row.payable}")
    words = gettext("%(units)s at %(rate)s") % {
        "units": quantity(row.units_allowed, unit),
        "rate": rate(row.rate_allowed),
    }
    rows.append(WaterfallRow("gross", gettext("Allowed"), row.gross, row.gross, words))
    rows.append(_fee(line, judged, sources))
    rows.append(WaterfallRow("payable", gettext("Paid from the budget"), row.payable, row.payable))
    return rows


def in_waterfall_order(findings: Iterable[Finding]) -> list[Finding]:
    """Rates, rejections, pends, unit cuts, money cuts, warnings; of the rejections those first that explain others."""
    return sorted(findings, key=_place)


def _place(finding: Finding) -> tuple[int, int, str]:
    stage, place, code = waterfall_place(finding.check_code, finding.severity)
    if explains(code, finding.severity):
        place = EXPLAINING.index(code) - len(EXPLAINING) - 1
    return stage, place, code


def waterfall_place(code: str, severity: str) -> tuple[int, int, str]:
    """Where a finding of a check stands among the steps; cuts that came with a package take before the ceilings."""
    stages = {"R": 1, "P": 2, "C": 0 if code in RATES else 3}
    return stages.get(severity, 4), CUTS.index(code) if code in CUTS else -1, code


def _claimed(line: ClaimLine, judged: JudgedLine, unit: str) -> WaterfallRow:
    row = judged.adjudication
    sentence = gettext("%(units)s at %(rate)s") % {
        "units": quantity(row.units_claimed, unit),
        "rate": rate(row.rate_claimed),
    }
    return WaterfallRow("claimed", gettext("Claimed"), row.amount_claimed, row.amount_claimed, sentence)


def _finding(finding: Finding, line: ClaimLine, judged: JudgedLine, sources: LineSources, left: int) -> WaterfallRow:
    unit = short_unit(service_of(line, sources))
    taken = finding.amount if finding.severity in TAKING else 0
    figures = finding_figures(finding, line, judged, sources)
    return WaterfallRow(
        kind="finding",
        title=title_of(finding.check_code),
        amount=-taken,
        left=left - taken,
        sentence=sentence_of(finding.check_code, finding.severity, finding.detail, figures),
        code=finding.check_code,
        severity=finding.severity,
        advice=advice_of(finding.check_code),
        units=finding.units,
        unit=unit,
        basis=basis_of(finding, line, judged.adjudication.run, sources),
        ground=ground_of(finding.check_code, judged.adjudication.run.organisation.jurisdiction),
    )


def finding_figures(finding: Finding, line: ClaimLine, judged: JudgedLine, sources: LineSources) -> Figures:
    """Everything a sentence may name, written in the reader's language."""
    service = service_of(line, sources)
    figures = Figures(
        date=_day(line.service_date),
        month=date_format(line.claim.period, "YEAR_MONTH_FORMAT"),
        service=service.name if service else line.service_code or "—",
        certificate=line.certificate.number if line.certificate else line.certificate_number or "—",
        contract=line.claim.contract_number or (line.claim.contract.number if line.claim.contract else "—"),
        worker=line.worker.code if line.worker else line.worker_code or "—",
        redemption=line.redemption_code or "—",
        claimed_rate=rate(line.unit_rate_e4),
        rate_before=rate(_rate_before_norm(judged)),
    )
    unit, currency = short_unit(service), judged.adjudication.run.organisation.currency
    for name, value in finding.detail.items():
        # A finding that came with a package may call anything by these names.
        with suppress(ValueError, ArithmeticError):
            figures[name] = _written(finding.check_code, name, str(value), unit, currency)
    return figures


def _rate_before_norm(judged: JudgedLine) -> int:
    """The rate that the contract left, in ten-thousandths."""
    rates = [row.detail.get("limit", "") for row in judged.findings if row.check_code == "CLM-16"]
    return scaled(rates[0], 4) if rates and rates[0] else judged.adjudication.rate_claimed


def _written(code: str, name: str, value: str, unit: str, currency: str) -> str:
    """A figure of a finding as the reader writes it; what is no figure stays as it is."""
    if name in DAYS:
        return _day(date.fromisoformat(value))
    if value in ("", "-"):
        return "—"
    if name in MONEY.get(code, ()):
        return amount(Decimal(value), currency)
    # A wrong amount (CLM-01) may carry four places like a rate, and they are what is wrong with it.
    if code in RATES or name in ("expected", "claimed"):
        return rate(scaled(value, 4))
    return quantity(scaled(value, 3), unit) if name in UNITS and code != "CLM-24" else value


def _fee(line: ClaimLine, judged: JudgedLine, sources: LineSources) -> WaterfallRow:
    row = judged.adjudication
    office, service = row.run.organisation, service_of(line, sources)
    return WaterfallRow(
        kind="fee",
        title=gettext("Recipient's fee"),
        amount=-row.fee,
        left=row.gross - row.fee,
        sentence=_fee_words(row.gross, service, fee_decision(line, sources), office.currency),
        basis=decision_basis(line, sources),
        ground=ground_of(FEE, office.jurisdiction),
    )


def _fee_words(gross: int, service: Service | None, decision: FeeAssessment | None, currency: str) -> str:
    if not gross or decision is None:
        return gettext("Nothing is allowed, so no fee is due.") if not gross else ""
    if service and service.free_for_all and decision.mode == "D":
        return gettext("The service is free for everyone.")
    if decision.mode == "D":
        words = gettext(
            "The recipient pays up to %(limit)s a month, shared over the month's lines in proportion, to the kopiyka; "
            "the budget does not pay it."
        )
        return words % {"limit": amount(decision.monthly_limit or 0, currency)}
    if decision.mode == "C":
        return gettext("The recipient pays in full; the budget does not pay it.")
    return gettext("The recipient receives services free of charge.")


def short_unit(service: Service | None) -> str:
    """Unit of a service, short, to stand after a number."""
    names = {
        "hour": pgettext("short unit", "h"),
        "visit": pgettext("short unit", "visits"),
        "day": pgettext("short unit", "days"),
        "trip": pgettext("short unit", "trips"),
    }
    return names.get(service.unit, "") if service else ""


def quantity(milli: int, unit: str) -> str:
    """Units with their short name: 1500 -> «1,5 год»."""
    return f"{units(milli)} {unit}".strip()


def _day(day: date) -> str:
    return date_format(day, "SHORT_DATE_FORMAT")
