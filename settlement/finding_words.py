"""What each check says to a person, in sentences: one table, filled with the figures that the finding keeps.

A sentence is chosen by the check and, where a check has several reasons, by the reason (``why``) or severity it noted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from settlement.rules import checks

_FIGURE = re.compile(r"%\((\w+)\)s")
# What a figure shows that the line leaves blank.
NONE = "—"

# Rejections that explain others, told first: who has died, or lies in a hospital, has no certificate in force either; a
# service that the catalogue does not know has no price in the contract.
EXPLAINING = ("CLM-26", "CLM-27", "CLM-06")

# (check, reason) -> sentence. The reason "" serves where none of the others was noted.
SENTENCES: dict[tuple[str, str], Any] = {
    ("CLM-01", ""): _("Units times rate give %(expected)s, the line says %(claimed)s."),
    ("CLM-01", "times"): _(
        "The visit must begin on the service date %(date)s and end after it began; the times written do not."
    ),
    ("CLM-01", "both"): _(
        "Units times rate give %(expected)s, the line says %(claimed)s; and the times of the visit are impossible."
    ),
    ("CLM-03", ""): _("On %(date)s the provider was not active on the register."),
    ("CLM-03", "suspended"): _("On %(date)s the provider was suspended."),
    ("CLM-04", ""): _("Contract %(contract)s was not in force on %(date)s."),
    ("CLM-04", "unknown"): _("The claim names no known contract."),
    ("CLM-04", "foreign"): _("Contract %(contract)s was concluded with another provider."),
    ("CLM-04", "idle"): _("Contract %(contract)s is not active."),
    ("CLM-05", ""): _("Contract %(contract)s has no price of «%(service)s» on %(date)s."),
    ("CLM-06", ""): _("The catalogue has no service «%(service)s»."),
    ("CLM-07", ""): _("There is no certificate «%(certificate)s», or its recipient is not on the register."),
    ("CLM-08", ""): _("No decision on what the recipient pays was in force on %(date)s."),
    ("CLM-09", ""): _("The recipient's individual plan has no «%(service)s» on %(date)s."),
    ("CLM-10", ""): _("Certificate %(certificate)s was not in force on %(date)s."),
    ("CLM-10", "ended"): _("Certificate %(certificate)s was cancelled or replaced before %(date)s or on that day."),
    ("CLM-10", "suspended"): _("Certificate %(certificate)s was suspended on %(date)s."),
    ("CLM-10", "service"): _("Certificate %(certificate)s does not cover «%(service)s»."),
    ("CLM-11", ""): _("No confirmed redemption agrees with the line."),
    ("CLM-11", "unnamed"): _("The line names no redemption."),
    ("CLM-11", "unknown"): _("There is no redemption «%(redemption)s» behind the line."),
    ("CLM-11", "unconfirmed"): _("Redemption %(redemption)s is not confirmed."),
    ("CLM-11", "certificate"): _("Redemption %(redemption)s was made with another certificate."),
    ("CLM-11", "service"): _("Redemption %(redemption)s is for another service."),
    ("CLM-11", "provider"): _("Redemption %(redemption)s was made at another provider."),
    ("CLM-11", "worker"): _("Redemption %(redemption)s names another worker."),
    ("CLM-11", "units"): _("Redemption %(redemption)s has other units than the %(units)s of the line."),
    ("CLM-12", ""): _("%(left)s were left on certificate %(certificate)s; %(taken)s beyond that are not paid."),
    ("CLM-13", ""): _(
        "The individual plan gives %(limit)s a month; %(left)s were left of it; %(taken)s beyond that are not paid."
    ),
    ("CLM-14", ""): _(
        "One person may have at most %(day_limit)s a day and %(month_limit)s a month of the service; %(left)s were "
        "left; %(taken)s beyond that are not paid."
    ),
    ("CLM-14", "day"): _(
        "One person may have at most %(day_limit)s of the service a day; %(left)s were left; %(taken)s beyond that "
        "are not paid."
    ),
    ("CLM-14", "month"): _(
        "One person may have at most %(month_limit)s of the service a month; %(left)s were left; %(taken)s beyond "
        "that are not paid."
    ),
    ("CLM-15", ""): _("The service is paid in whole steps of %(step)s; the remaining %(taken)s are not paid."),
    ("CLM-16", ""): _("The contract's rate of %(limit)s is below the claimed %(claimed_rate)s: the rate was lowered."),
    ("CLM-17", ""): _("The norm cost of %(limit)s is below the rate of %(rate_before)s: the rate was lowered."),
    ("CLM-17", "R"): _("No norm cost of «%(service)s» was in force on %(date)s; without one nothing is paid."),
    ("CLM-18", ""): _(
        "The recipient's yearly ceiling for the service is %(limit)s; %(left)s were left; %(taken)s beyond that are "
        "not paid."
    ),
    ("CLM-19", ""): _("%(left)s were left of what contract %(contract)s may cost; %(taken)s beyond that are not paid."),
    ("CLM-20", ""): _("Line %(earlier_line)s of claim %(earlier_claim)s already claims this visit or redemption."),
    ("CLM-21", ""): _("%(hours)s (hours:minutes) of the visit are covered by earlier visits to the same recipient."),
    ("CLM-22", ""): _("%(hours)s (hours:minutes) of the visit are covered by other visits of the worker %(worker)s."),
    ("CLM-24", ""): _(
        "With this visit the worker %(worker)s has %(hours)s (hours:minutes) on %(date)s; more than %(limit)s needs "
        "a person's decision."
    ),
    ("CLM-25", ""): _("The worker %(worker)s was not qualified for «%(service)s» on %(date)s."),
    ("CLM-25", "missing"): _("The worker «%(worker)s» is not known. Every line names who gave the service."),
    ("CLM-25", "foreign"): _("The worker %(worker)s belongs to another provider."),
    ("CLM-26", ""): _("The recipient died on %(death)s, before the service date %(date)s."),
    ("CLM-26", "P"): _("The recipient died on the service date %(death)s: a person decides."),
    ("CLM-27", ""): _(
        "On %(date)s the recipient was in hospital or residential care, since %(from)s; services at home are paid "
        "only on the first and last day of a stay."
    ),
    ("CLM-28", ""): _("On %(date)s the recipient was away."),
    ("CLM-31", ""): _("The service date %(date)s is outside the claim's month %(month)s."),
    ("CLM-31", "early"): _("The service date %(date)s is after the submission of the claim on %(submitted)s."),
    ("CLM-32", ""): _(
        "The claim was submitted on %(submitted)s; the last day for services of %(month)s was %(deadline)s."
    ),
    ("CLM-02", ""): _("Claim %(other_claim)s has the same file or the same number of the provider's invoice."),
    ("CLM-23", ""): _(
        "From the visit before, line %(earlier_line)s of claim %(earlier_claim)s, it is %(metres)s m, and there were "
        "%(minutes)s minutes for it."
    ),
    ("CLM-29", ""): _("On %(date)s somebody else pays «%(service)s», or a service that excludes it."),
    ("CLM-29", "excluded"): _("A service that excludes «%(service)s» is claimed for %(date)s before."),
    ("CLM-30", ""): _("On %(date)s the provider gave «%(service)s» under a state task; compensation is for others."),
    ("CLM-33", ""): _("%(date)s is a weekday on which the provider does not serve."),
    ("CLM-34", ""): _("«%(service)s» needs an act signed by the recipient; none is attached to the claim."),
    ("CLM-35", ""): _("The recipient's share of the month is deducted."),
    ("CLM-36", ""): _("The provider reports a fee of %(collected)s; due by this claim is %(due)s."),
    ("CLM-37", ""): _("The provider collected %(collected)s; the recipient pays at most %(limit)s a month."),
    ("CLM-38", ""): _("The provider collected %(collected)s although the service is free for the recipient."),
    ("CLM-39", ""): _("The invoice adds VAT; the line's part of it, %(vat)s, is not paid: the service is exempt."),
    ("CLM-40", ""): _("The provider declares %(declared)s in all; the lines come to %(written)s."),
    ("CLM-40", "W"): _(
        "The provider declares %(declared)s in all; the lines come to %(written)s. So little is rounding."
    ),
    ("CLM-41", ""): _(
        "The recipient has %(units)s of the service in this run; the mean of %(recipients)s recipients is %(mean)s."
    ),
    ("CLM-42", ""): _("Of %(visits)s visits of the worker %(worker)s, %(rounded)s begin and end at full hours."),
    ("CLM-42", "alike"): _("All %(visits)s visits of the worker %(worker)s begin at the same time of day."),
    ("CLM-43", ""): _("The code was read %(metres)s m from the recipient's address."),
    ("CLM-43", "late"): _("The code was read %(hours)s hours after the visit."),
    ("CLM-44", ""): _("The provider's account is used since %(since)s; the claim was submitted on %(submitted)s."),
    ("CLM-45", ""): _("Whoever is related to the provider does not judge its claims."),
    ("CLM-46", ""): _("What the provider owes back was set off against the remittance."),
    ("CLM-47", ""): _("The emergency service began on %(began)s; its act was due by %(act_due)s and is not there."),
    ("CLM-47", "late"): _("The emergency service began on %(began)s; its act came after %(act_due)s."),
    ("CLM-47", "term"): _(
        "The emergency service began on %(began)s and could last until %(last)s; %(date)s is after it."
    ),
    ("CLM-48", ""): _(
        "%(people)s people were in the group, the norm is %(norm)s: the units were divided in that proportion."
    ),
    ("CLM-49", ""): _("A complaint of the recipient about the visit %(redemption)s is open."),
    ("CLM-50", ""): _("The grant's approved budget has no «%(service)s»."),
    ("CLM-50", "period"): _("The grant's approved budget has «%(service)s», but not on %(date)s."),
    ("CLM-50", "money"): _(
        "%(left)s were left of the grant's item or of its released tranches; %(taken)s beyond that are not paid."
    ),
}


class Figures(dict[str, str]):
    """Figures of a sentence; one that was not kept shows as a dash."""

    def __missing__(self, key: str) -> str:
        return NONE


def explains(code: str, severity: str) -> bool:
    """Whether a finding explains the others of its line."""
    return severity == "R" and code in EXPLAINING


def title_of(code: str) -> str:
    """What a check found wrong, in a few words of the reader's language; an unknown check is its code."""
    check = checks.ALL.get(code)
    return gettext(check.TITLE) if check else code


def advice_of(code: str) -> str:
    """What to do about a finding."""
    check = checks.ALL.get(code)
    return gettext(check.ADVICE) if check else ""


def sentence_of(code: str, severity: str, detail: Mapping[str, Any], figures: Mapping[str, str]) -> str:
    """What the check found, with its figures. A check that is not ours came with a package and says so."""
    reason = reason_of(code, severity, detail)
    if (code, reason) == ("CLM-11", "unknown") and figures.get("redemption", NONE) == NONE:
        reason = "unnamed"
    sentence = SENTENCES.get((code, reason)) or SENTENCES.get((code, ""))
    if sentence is None or _from_elsewhere(code, sentence, detail, figures):
        return gettext("given with the package: %(words)s") % {"words": _given_words(detail)}
    return str(sentence) % Figures(figures)


def _from_elsewhere(code: str, sentence: Any, detail: Mapping[str, Any], figures: Mapping[str, str]) -> bool:
    """Whether a finding of a check that a package cannot decide was written by somebody who keeps other figures."""
    if code in checks.DECIDED:
        return False
    return "text" in detail or not set(_FIGURE.findall(str(sentence))) <= figures.keys()


def _given_words(detail: Mapping[str, Any]) -> str:
    """What a finding from elsewhere says of itself: its text, or its figures by name."""
    words = str(detail.get("text", "")) or "; ".join(f"{name}: {value}" for name, value in detail.items())
    return words or gettext("nothing more was said")


def reason_of(code: str, severity: str, detail: Mapping[str, Any]) -> str:
    """Which of the check's reasons holds: noted by the check, or told by its severity or limits."""
    if code == "CLM-14":
        limits = [name for name in ("day", "month") if detail.get(f"{name}_limit", "-") != "-"]
        return limits[0] if len(limits) == 1 else ""
    return str(detail.get("why", "")) or severity
