"""The dated record that a step rests on: a parameter, price, norm, plan, certificate or decision, as it was known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext

from config.law_words import act_words, parameter_title, value_words
from config.templatetags.show import amount
from contracts.models import ContractLine, NormCost, Service
from settlement.line_queries import LineSources, holding
from settlement.models import AdjudicationRun, ClaimLine, Finding
from settlement.rules.parameters import (
    ACCOUNT_DAYS,
    DECEMBER_STOP,
    EMERGENCY_ACT_DAYS,
    EMERGENCY_TERM,
    FULL_HOURS_PERCENT,
    HOURS_PER_DAY,
    OUTLIER_SIGMA,
    ROUNDING_TOLERANCE,
    SCAN_DELAY,
    SCAN_DISTANCE,
    TRAVEL_SPEED,
    WINDOW_DAYS,
)
from vouchers.models import FeeAssessment

# The parameter that a check of our own claims is measured by.
MEASURES = {
    "CLM-23": TRAVEL_SPEED,
    "CLM-24": HOURS_PER_DAY,
    "CLM-40": ROUNDING_TOLERANCE,
    "CLM-41": OUTLIER_SIGMA,
    "CLM-42": FULL_HOURS_PERCENT,
    "CLM-44": ACCOUNT_DAYS,
}


@dataclass(frozen=True)
class Basis:
    """What a step rests on: a parameter or record with its value, the act and since when it holds."""

    parameter: str = ""
    act: str = ""
    since: date | None = None
    unverified: bool = False


def basis_of(finding: Finding, line: ClaimLine, run: AdjudicationRun, sources: LineSources) -> Basis:
    """The dated record that a finding rests on; empty where the figures speak for themselves."""
    code, service = finding.check_code, service_of(line, sources)
    if key := _measure(finding, line):
        return _parameter(run, key)
    if code in ("CLM-10", "CLM-12"):
        return _certificate(line, sources)
    if code in ("CLM-04", "CLM-05", "CLM-19"):
        return _contract(line, sources)
    if code in ("CLM-36", "CLM-37", "CLM-38"):
        return decision_basis(line, sources)
    return _of_service(finding, line, service, sources) if service else Basis()


def _measure(finding: Finding, line: ClaimLine) -> str:
    """The parameter that a check compares with, if it has one."""
    code, why = finding.check_code, finding.detail.get("why")
    if code == "CLM-43":
        return SCAN_DELAY if why == "late" else SCAN_DISTANCE
    if code == "CLM-47":
        return EMERGENCY_TERM if why == "term" else EMERGENCY_ACT_DAYS
    if code == "CLM-32":
        return DECEMBER_STOP if line.claim.period.month == 12 else WINDOW_DAYS
    return MEASURES.get(code, "")


def _of_service(finding: Finding, line: ClaimLine, service: Service, sources: LineSources) -> Basis:
    on, code, contract = line.service_date, finding.check_code, line.claim.contract_id or 0
    if code == "CLM-17":
        norm = norm_on(sources.norms.get(service.pk, []), on, str(finding.detail.get("limit", "")))
        return Basis(gettext("norm cost"), norm.act, norm.valid_from) if norm else Basis()
    if code == "CLM-16":
        return _first(sources.contract_lines.get((contract, service.pk), []), on, _price)
    if code == "CLM-50":
        found = _first(sources.grant_items.get((contract, service.pk), []), on, _grant_item)
        return found if found.parameter else _contract(line, sources)
    if code == "CLM-13" and line.certificate:
        return _first(sources.plans.get((line.certificate.recipient_id, service.pk), []), on, _plan)
    if code == "CLM-34":
        return _first(sources.acts_needed.get(service.pk, []), on, _act_needed)
    if code in ("CLM-14", "CLM-15", "CLM-18", "CLM-48"):
        return Basis(gettext("catalogue of services: %(code)s") % {"code": service.code})
    return Basis()


def _first(rows: Iterable[Any], on: date, words: Any) -> Basis:
    """The record that holds on a day, in words; empty where there is none."""
    found = holding(rows, on)
    return words(found[0]) if found else Basis()


def _price(price: ContractLine) -> Basis:
    number = gettext("contract %(number)s") % {"number": price.contract.number}
    return Basis(number, price.amendment, price.valid_from or price.contract.valid_from)


def _plan(row: Any) -> Basis:
    if row.plan is None:
        return Basis(gettext("individual plan"), "", row.valid_from)
    return Basis(gettext("individual plan %(number)s") % {"number": row.plan.number}, "", row.valid_from)


def _grant_item(row: Any) -> Basis:
    told = {"number": row.contract.number, "amount": amount(row.amount, row.contract.organisation.currency)}
    words = gettext("item of the approved budget of the grant agreement %(number)s: %(amount)s") % told
    return Basis(words, "", row.valid_from)


def _act_needed(row: Any) -> Basis:
    return Basis(gettext("the service needs an act signed by the recipient"), "", row.valid_from)


def _certificate(line: ClaimLine, sources: LineSources) -> Basis:
    row = sources.certificates.get(line.certificate_id or 0)
    return Basis(gettext("certificate %(number)s") % {"number": row.number}, "", row.valid_from) if row else Basis()


def _contract(line: ClaimLine, sources: LineSources) -> Basis:
    row = sources.contracts.get(line.claim.contract_id or 0)
    return Basis(gettext("contract %(number)s") % {"number": row.number}, "", row.valid_from) if row else Basis()


def _parameter(run: AdjudicationRun, key: str) -> Basis:
    """The version of a parameter that the run has stored."""
    for row in run.parameters:
        if row.get("key") == key:
            since = row.get("valid_from")
            return Basis(
                f"{parameter_title(key)}: {value_words(str(row.get('value', '')))}",
                act_words(row.get("act", "")),
                date.fromisoformat(since) if since else None,
                bool(row.get("unverified")),
            )
    return Basis(parameter_title(key))


def norm_on(norms: Iterable[NormCost], on: date, limit: str) -> NormCost | None:
    """The norm cost of a day that has the rate which the check applied."""
    wanted = scaled(limit, 4) if limit not in ("", "-") else None
    return next((row for row in holding(norms, on) if wanted == int(row.unit_rate * 10_000)), None)


def scaled(value: str, places: int) -> int:
    """ "1520.00" with 2 places -> 152000; the check writes no more places than asked, an odd claimed amount may."""
    whole, _, fraction = value.partition(".")
    return int(whole + fraction[:places].ljust(places, "0"))


def decision_basis(line: ClaimLine, sources: LineSources) -> Basis:
    """The decision on the recipient's fee as a record."""
    decision = fee_decision(line, sources)
    return Basis(gettext("fee decision"), decision.decision, decision.valid_from) if decision else Basis()


def fee_decision(line: ClaimLine, sources: LineSources) -> FeeAssessment | None:
    """The decision on the recipient's fee in force on the service date."""
    if line.certificate is None:
        return None
    found = holding(sources.fees.get(line.certificate.recipient_id, []), line.service_date)
    return found[0] if found else None


def service_of(line: ClaimLine, sources: LineSources) -> Service | None:
    """The service of a line, also when its code was registered after the claim."""
    return line.service or sources.services.get(line.service_code)
