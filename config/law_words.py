"""Law in words: what a parameter is called, its coded values, acts and articles in the reader's language."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format, get_format
from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.figures import written
from config.law_titles import LISTED

# Parameters that calculations and checks show; the list of all parameters keeps their keys.
TITLES: dict[str, Any] = {
    "admin_cap_base": _("what the cap of administrative costs is counted from"),
    "admin_cap_pct": _("cap of administrative costs, percent"),
    "advance.percent_max": _("share of a contract that may be paid in advance, percent"),
    "calendar.deadline_shift": _("a deadline on a day off moves to the next working day"),
    "calendar.holidays_suspended": _("public holidays are working days"),
    "certificate.granularity_hour": _("smallest part of an hour on a certificate"),
    "certificate.validity_months_max": _("longest term of a certificate, months"),
    "certificate.warn_before_days": _("days before its end at which a certificate warns"),
    "claim.bank_account_hold_days": _("days for which a new account of the provider makes claims wait"),
    "claim.closeness_pct": _("share of visits with one person that stands out, percent"),
    "claim.closeness_visits_min": _("least number of visits of a pair that stands out"),
    "claim.december_stop": _("last day for claims of December"),
    "claim.emergency_act_days": _("working days for the act of an emergency service"),
    "claim.emergency_days_max": _("longest emergency service without a plan, days"),
    "claim.geo_distance_m": _("metres between a scan and the address that are normal"),
    "claim.outlier_recipients_min": _("least number of recipients for a comparison"),
    "claim.outlier_sigma": _("standard deviations above the mean that stand out"),
    "claim.round_hours_pct": _("share of visits in full hours that stands out, percent"),
    "claim.round_hours_visits_min": _("least number of visits for a pattern of hours"),
    "claim.rounding_tolerance": _("difference of a total that counts as rounding"),
    "claim.sample_pct": _("share of visits that is drawn to be verified, percent"),
    "claim.scan_delay_hours": _("hours after a visit within which its scan is normal"),
    "claim.pay_days": _("working days after judging within which a claim is paid"),
    "claim.pay_days_absolute": _("days after receipt within which a claim is paid"),
    "claim.window_days": _("days for a claim after the end of its month"),
    "claim.submit_by": _("day of the month by which claims are submitted"),
    "claim.appeal_days": _("working days for an appeal"),
    "correction.closed_year": _("a month of a closed year may be corrected"),
    "correction.fee_increase": _("a correction may raise a recipient's fee back in time"),
    "clawback.look_back": _("years back for which money can be asked back"),
    "clawback.reply_days": _("working days for a provider's reply when money is asked back"),
    "clawback.return_days": _("working days for returning money, after which it is kept back"),
    "coi.look_back_months": _("months back in which a link to a bidder bars a member of the commission"),
    "coi.outlier_pct": _("distance of a mark from the mean that must be explained, percent of the scale"),
    "cost_formula": _("formula of the norm cost"),
    "esv_rate": _("single social contribution, percent"),
    "grant.announce_to_close_days": _("days from the announcement to the end of applications"),
    "grant.final_report_days": _("days for the final report after the end of the project"),
    "grant.first_tranche_max_pct": _("highest share of the first tranche, percent"),
    "grant.pass_threshold_pct": _("points needed to win, percent of the highest sum"),
    "grant.min_cofinance_basis": _("what counts as co-financing"),
    "grant.min_cofinance_of": _("what the share of co-financing is counted from"),
    "grant.min_cofinance_pct": _("least share of co-financing, percent"),
    "grant.share_tolerance": _("tolerance of a declared share"),
    "inc.impute": _("income counted for a month without one or with a smaller one"),
    "inc.impute_able_member": _("minimum wages counted for a member of the family able to work"),
    "inc.impute_recipient": _("minimum wages counted for the recipient"),
    "inc.window": _("months whose incomes count"),
    "min_wage": _("minimum wage"),
    "norm.deviation_flag_pct": _("deviation from the norm that is shown, percent"),
    "pay.age_adult": _("age from which a person is an adult"),
    "pay.age_child": _("age from which the minimum of older children applies"),
    "pay.fee_method": _("how a differentiated fee is computed"),
    "pay.free_multiple_sm": _("free up to this many subsistence minimums"),
    "pay.full_multiple_sm": _("full cost above this many subsistence minimums"),
    "pay.sm_choice": _("which subsistence minimum is used"),
    "payment.approvals_min": _("approvals that a payment needs"),
    "payment.grace_days": _("working days between judging a claim and paying it"),
    "payment.late_interest_percent": _("interest on late payments, percent a year"),
    "payment.release_apart": _("who approved a payment run does not release it"),
    "bank.ahead_days": _("days after its import up to which a bank record may be dated"),
    "bank.open_days": _("days after which a bank record without an explanation is overdue"),
    "bank.silent_days": _("days without a word of the bank after which a payment is asked about"),
    "payment.interest_year_days": _("days of a year by which late interest is divided"),
    "bank.match_window_days": _("days around a payment in which a bank record may fit"),
    "sm.able_bodied": _("subsistence minimum of those able to work"),
    "sm.age_6_18": _("subsistence minimum of children from 6 to 18"),
    "sm.general": _("general subsistence minimum"),
    "sm.lost_ability": _("subsistence minimum of those who lost the ability to work"),
    "sm.under_6": _("subsistence minimum of children under 6"),
    "so.announce_to_close_days": _("days from the announcement to the end of bids"),
    "so.chair_breaks_ties": _("the chair decides when votes are equal"),
    "so.commission_min_members": _("least number of members of the commission"),
    "so.commission_odd": _("the number of members is odd"),
    "so.quorum": _("share of members needed to decide"),
    "so.quorum_opening": _("share of members needed to open bids"),
    "so.score_max": _("highest mark of a criterion"),
    "so.single_bid_allowed": _("a single bid may win"),
    "so.standstill_days": _("working days for complaints before signing"),
    "so.threshold": _("points needed to win"),
    "staff.manager": _("residents for each manager"),
    "staff.specialist": _("residents for each specialist"),
    "vat_rate": _("value added tax, percent"),
    "yearend.carry": _("what is promised goes over to the next year"),
    "yearend.return": _("unused money comes back by this month and day"),
    "yearend.return_working_days": _("working days of January in which unused money comes back"),
    "worker.hours_per_day_max": _("most hours of one worker a day"),
    "worker.travel_kmh_max": _("speed at which a worker can travel, km per hour"),
}

VALUES: dict[str, Any] = {
    "REGISTERED_ONLY": _("only registered obligations"),
    "NONE": _("nothing; all of it lapses"),
    "DIRECT_PAY": _("direct pay"),
    "DIRECT_COST": _("direct costs"),
    "EXCESS_CAP": _("not more than the income above the free bound"),
    "QUARTER": _("the quarter before the month of application"),
    "SIX_MONTHS": _("six months before the application"),
    "MONTHLY": _("each month"),
    "TOTAL": _("whole cost of the project"),
    "GRANT": _("the grant"),
    "ALL_NON_GRANT": _("all money except the grant"),
    "OWN": _("own money"),
    "OWN_PARTNERS": _("own money and that of partners"),
    "RECIPIENT_GROUP": _("of the recipient's own group"),
    "COMBINED": _("one manager for towns and villages together"),
    "SIMPLE_OF_PRESENT": _("simple majority of those present"),
    "CLOSE_OR_NEXT_WORKING_DAY": _("on the closing day or the next working day"),
    "min": _("the lesser of"),
    "off": _("not judged"),
    "lost_ability": _("lost the ability to work"),
    "able_bodied": _("able to work"),
    "general": _("general"),
    "age_6_18": _("from 6 to 18 years"),
    "under_6": _("under 6 years"),
    "true": _("yes"),
    "false": _("no"),
}
# Formulas by their ids, which the auditor finds beside the words.
FORMULAS: dict[str, Any] = {
    "NORM-UA-1186/1": _("cost of a unit by the methodology of order 1186 of 07.12.2015"),
    "FEE-UA-1/1": _("fee of the recipient by Cabinet resolution 429 of 01.06.2020"),
    "FEE-RU-442/1": _("fee of the recipient by Federal law 442-FZ"),
}
# Grounds by which a person pays or does not, by their ids in docs/legal.md.
GROUNDS: dict[str, Any] = {
    "PAY-UA-2": _("free of charge whatever the income, by who the person is"),
    "PAY-UA-3": _("the service is free for everyone"),
    "PAY-UA-3/crisis": _("help in a crisis is free for everyone"),
    "PAY-UA-4": _("the income is not above the free bound"),
    "PAY-UA-5": _("the income is above the free bound and not above the bound of the full cost"),
    "PAY-UA-6": _("the income is above the bound of the full cost"),
    "INC-UA": _("the income is not known"),
    "PAY-RU-1": _("free of charge in every form, by who the person is"),
    "PAY-RU-2": _("the income is not above the limit of the region"),
    "PAY-RU-3": _("at home: a share of what exceeds the limit"),
    "PAY-RU-4": _("residential: a share of the income"),
    "PAY-RU-5": _("urgent services are free"),
}
_CODE = re.compile(r"\b(" + "|".join(sorted(VALUES.keys() - {"min", "off"}, key=len, reverse=True)) + r")\b")
_APPROVALS = re.compile(r"payment\.approvals_from\.(\d+)")
_SEVERITY = re.compile(r"check\.(CLM-\d\d)\.severity")
_RULE = re.compile(r"^[A-Z]{1,3}-\d+(?:[:;] ?|$)")
_ARTICLE = re.compile(r"\b(art|p|section)\. ?(\d[\d.()]*)|\b(section) (\d[\d., ]*)")
_MONTH_OF = re.compile(r"(?:recipient|member (\d+)), (\d\d\.\d{4}): (\S+) < (\S+)")
_FIGURE = re.compile(r"(?<![\w.])\d+\.\d+(?![\w.:]|-)")


def parameter_title(key: str) -> str:
    """What a parameter is called; one without a name keeps its key."""
    found = TITLES.get(key.strip())
    if match := _SEVERITY.fullmatch(key.strip()):
        return gettext("how findings of check %(check)s are taken") % {"check": match[1]}
    if match := _APPROVALS.fullmatch(key.strip()):
        return gettext("approvals that a payment needs from the sum %(sum)s") % {"sum": match[1]}
    return str(found or LISTED.get(key.strip()) or key)


# The same, for sentences that are written before it is known in whose language they are read.
parameter_named = lazy(parameter_title, str)


def value_words(value: str) -> str:
    """A coded value in words, a day of the year («12-31») as it is said, a figure as it is read; the rest as it is."""
    if re.fullmatch(r"\d\d-\d\d", value):
        return _day_of_year(value)
    return str(VALUES[value]) if value in VALUES else _figure(value)


def _figure(text: str) -> str:
    """A figure with a fraction as it is read here; whole numbers may be a year or a code."""
    if not re.fullmatch(r"-?\d+\.\d+", text):
        return text
    return written(Decimal(text), "#,##0." + "0" * len(text.partition(".")[2]))


def _day_of_year(value: str) -> str:
    try:
        return date_format(date.fromisoformat(f"2000-{value}"), "j E")
    except ValueError:
        return value


def formula_title(formula: str) -> str:
    """What a formula is called; one without a name is empty."""
    return str(FORMULAS.get(formula, ""))


def formula_words(formula: str) -> str:
    """The formula cell of a stored calculation: codes in words, a true sign of multiplication, figures as read here.

    A code of a service (015.1:) is no figure and keeps its point.
    """
    if formula in GROUNDS:
        return str(GROUNDS[formula])
    if found := _MONTH_OF.fullmatch(formula):
        formula = _counted_instead(found)
    text = _CODE.sub(lambda found: str(VALUES[found.group(1)]), gettext(formula) if formula else "")
    text = re.sub(r"\bmin\(", str(VALUES["min"]) + " (", text)
    text = re.sub(r"(?<= )x(?= )", "×", text)
    return _FIGURE.sub(lambda found: found.group().replace(".", get_format("DECIMAL_SEPARATOR")), text)


def _counted_instead(found: re.Match[str]) -> str:
    """A month of a member of the family: what was earned and what is counted instead."""
    who = gettext("family member %(number)s") % {"number": found[1]} if found[1] else gettext("the recipient")
    words = {"who": who, "month": found[2], "known": found[3], "counted": found[4]}
    return gettext("%(who)s, %(month)s: the income of %(known)s is below %(counted)s") % words


def act_words(act: str) -> str:
    """An act with its article: «Law 2671-VIII, art. 28» -> «Закон 2671-VIII, ст. 28»."""
    name, comma, rest = act.partition(", ")
    return gettext(name) + comma + article_words(rest) if name else ""


def note_words(note: str) -> str:
    """A note in the reader's language without the id of the product's own rule that it may begin with."""
    return _RULE.sub("", gettext(note)) if note else ""


def article_words(article: str) -> str:
    """«art. 28» in the reader's language; the product's own references stay."""
    return _ARTICLE.sub(_article, article)


def _article(found: re.Match[str]) -> str:
    kind, number = (found.group(1), found.group(2)) if found.group(1) else (found.group(3), found.group(4))
    words = {"art": gettext("art. %(n)s"), "p": gettext("p. %(n)s"), "section": gettext("section %(n)s")}
    return words[kind] % {"n": number}
