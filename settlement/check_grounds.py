"""What each check rests on: the act and article of a jurisdiction with how well it is known, or what stands for one.

Acts are ids of docs/legal.md, and its table of checks says the same. Labels as there; MEM is shown as not verified.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from config.law_words import act_words
from contracts.models import Parameter
from settlement.rules import checks


class Source(NamedTuple):
    """An act by its id, the article, and the label of evidence."""

    act: str
    article: str
    evidence: str


@dataclass(frozen=True)
class Ground:
    """The ground in the reader's language; ``evidence`` is a label, empty where no act stands behind the check."""

    words: str = ""
    evidence: str = ""

    @property
    def unverified(self) -> bool:
        """Whether the act is told from memory."""
        return self.evidence == "MEM"

    @property
    def known_by(self) -> str:
        """How well the act is known, in words."""
        return str(_KNOWN_BY.get(self.evidence, ""))


_KNOWN_BY: dict[str, Any] = {label: words for label, words in Parameter.EVIDENCE if label != "MEM"}
_PRACTICE = _("usual practice of settlement; no act that requires it is known to us")
_LIMIT = _("usual practice with a limit that the municipality sets; no act that requires it is known to us")
_CONTRACT = _("the contract with the provider")
_CATALOGUE = _("the municipality's catalogue of services")
_REGISTER = _("the register of providers and the list of their workers")
_PLAN = _("the recipient's individual plan")
_CERTIFICATE = _("the rules of the certificate")
_FEE = _("the decision on the recipient's fee")
# What a check rests on besides an act.
_RESTS: dict[str, Any] = {
    **dict.fromkeys(("CLM-04", "CLM-05", "CLM-16", "CLM-19"), _CONTRACT),
    **dict.fromkeys(("CLM-06", "CLM-14", "CLM-15", "CLM-18", "CLM-48"), _CATALOGUE),
    **dict.fromkeys(("CLM-03", "CLM-25"), _REGISTER),
    **dict.fromkeys(("CLM-09", "CLM-13"), _PLAN),
    **dict.fromkeys(("CLM-10", "CLM-11", "CLM-12"), _CERTIFICATE),
    **dict.fromkeys(("CLM-08", "CLM-35", "CLM-36", "CLM-37"), _FEE),
    "CLM-07": _("the register of recipients"),
    "CLM-17": _("the norm cost approved for the day"),
    "CLM-33": _("the days of service that the provider declared"),
    "CLM-46": _("the decision to ask money back"),
    "CLM-50": _("the grant agreement and its approved budget"),
}
_LIMITED = frozenset(
    f"CLM-{number}" for number in (23, 24, 31, 32, 40, 41, 42, 43, 44, 47)
)  # measured by a parameter of the municipality

_LAW = gettext_noop("Law 2671-VIII")
_CRITERIA = gettext_noop("Cabinet 185 of 03.03.2020")
_FEES = gettext_noop("Cabinet 429 of 01.06.2020")
_ORDER = gettext_noop("Cabinet 450 of 01.06.2020")
_SERVICES = gettext_noop("Cabinet 587 of 01.06.2020")
_SOCIAL = gettext_noop("Federal law 442-FZ of 28.12.2013")
_SOCIAL_ORDER = gettext_noop("189-FZ of 13.07.2020")
_SOCIAL_CERTIFICATE = gettext_noop("General requirements to certificate")
UKRAINE: dict[str, Source] = {
    **dict.fromkeys(("CLM-03", "CLM-25"), Source(_CRITERIA, "", "V-PRACTICE")),
    **dict.fromkeys(("CLM-04", "CLM-05", "CLM-16", "CLM-19"), Source(_ORDER, "", "V-SEC")),
    **dict.fromkeys(("CLM-09", "CLM-13"), Source(_SERVICES, "", "V-SEC")),
    **dict.fromkeys(("CLM-26", "CLM-27", "CLM-28", "CLM-47"), Source(_SERVICES, "", "V-SEC")),
    **dict.fromkeys(("CLM-08", "CLM-37"), Source(_FEES, "", "V-SEC")),
    **dict.fromkeys(("CLM-35", "CLM-38"), Source(_LAW, "art. 28", "V-TEXT")),
    "CLM-06": Source(gettext_noop("Ministry order 429 of 23.06.2020"), "", "V-SEC"),
    "CLM-07": Source(_LAW, "", "V-SEC"),
    "CLM-14": Source(gettext_noop("State standard 760"), "", "V-SEC"),
    "CLM-17": Source(gettext_noop("Ministry order 1186 of 07.12.2015"), "", "V-SEC"),
    "CLM-34": Source(gettext_noop("Ministry order 296 of 02.06.2021"), "", "V-TEXT"),
    "CLM-39": Source(gettext_noop("Tax Code of Ukraine"), "art. 197", "MEM"),
}
RUSSIA: dict[str, Source] = {
    **dict.fromkeys(("CLM-03", "CLM-06", "CLM-07"), Source(_SOCIAL, "", "MEM")),
    **dict.fromkeys(("CLM-09", "CLM-13"), Source(_SOCIAL, "art. 16", "MEM")),
    **dict.fromkeys(("CLM-10", "CLM-12"), Source(_SOCIAL_ORDER, "", "V-SEC")),
    **dict.fromkeys(("CLM-11", "CLM-34"), Source(_SOCIAL_CERTIFICATE, "", "V-TEXT")),
    **dict.fromkeys(("CLM-08", "CLM-35", "CLM-37"), Source(_SOCIAL, "art. 32", "V-SEC")),
    "CLM-17": Source(gettext_noop("RF decree 1285 of 01.12.2014"), "", "V-TEXT"),
    "CLM-18": Source(gettext_noop("Moscow region form docs.cntd.ru/603776418"), "", "V-TEXT"),
    "CLM-30": Source(_SOCIAL, "art. 30(8)", "V-TEXT"),
    "CLM-38": Source(_SOCIAL, "art. 31(1)", "V-SEC"),
    "CLM-39": Source(gettext_noop("Tax Code of the Russian Federation"), "", "MEM"),
    "CLM-47": Source(_SOCIAL, "art. 21", "MEM"),
}
SOURCES: dict[str, dict[str, Source]] = {"UA": UKRAINE, "RU": RUSSIA}


def ground_of(code: str, jurisdiction: str) -> Ground:
    """What a check rests on in a jurisdiction; empty for a check that is not ours."""
    if code not in checks.ALL:
        return Ground()
    found = SOURCES.get(jurisdiction, {}).get(code)
    rests = _RESTS.get(code)
    if found is None:
        return Ground(str(rests or (_LIMIT if code in _LIMITED else _PRACTICE)))
    act = act_words(", ".join(part for part in (found.act, found.article) if part))
    return Ground("; ".join(str(part) for part in (rests, act) if part), found.evidence)
