"""What each check's pend rests on, as labelled figures: the complaint, the scan, the account, the act that is missing.

A reader gets a link where the reader's role may follow it. Words of recipients and of other providers stay in the
office: a provider sees that there is something, and its own side of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext

from config.audit.recording import label_of
from config.money import round_half_up
from config.periods import Period
from config.statuses import label_of_status
from config.templatetags.show import amount, minor, units
from contracts.models.check_facts import WEEKDAYS
from settlement.line_queries import holding
from settlement.models import Claim, ClaimLine, Finding
from settlement.own_facts_queries import CLAIM_FILE, SIGNED_ACT
from settlement.pend_records import Records, recipient_of

NONE = "—"
May = Callable[[str], bool]


@dataclass(frozen=True)
class Fact:
    """A figure with its name; ``url`` leads to its record where the reader may see it."""

    label: str
    value: str
    url: str = ""


@dataclass(frozen=True)
class Pend:
    """A finding that waits, the records of its page, and what its reader may."""

    finding: Finding
    records: Records
    may: May

    @property
    def line(self) -> ClaimLine:
        """The line that waits."""
        return self.finding.claim_line

    @property
    def in_office(self) -> bool:
        """Whether the reader works on claims for the office."""
        return self.may("runs.view")

    def said(self, name: str) -> str:
        """A figure that the check noted, as it was written."""
        return str(self.finding.detail.get(name, "")) or NONE

    def number(self, name: str) -> Decimal | None:
        """The same as a number; none where a package wrote something else."""
        try:
            value = Decimal(self.said(name))
        except InvalidOperation:
            return None
        return value if value.is_finite() else None

    def money(self, value: Decimal | None) -> str:
        """An amount in the money of the office."""
        return amount(value, self.records.organisation.currency)

    def link(self, permission: str, name: str, *args: Any) -> str:
        """Address of a page, empty for who may not open it."""
        return reverse(name, args=args) if self.may(permission) else ""

    def claim_link(self, claim: Claim, line: ClaimLine | None = None) -> str:
        """Address of a claim or a line; a provider opens its own only."""
        if not (self.in_office or claim.provider_id == self.line.claim.provider_id):
            return ""
        if line is not None:
            return self.link("claims.view", "settlement:claim_line", line.pk)
        return self.link("claims.view", "settlement:claim", claim.pk)


def day(on: date | None) -> str:
    """A day as the reader writes it."""
    return date_format(on, "SHORT_DATE_FORMAT") if on else NONE


def moment(at: datetime | None) -> str:
    """A moment in the reader's time."""
    return date_format(localtime(at), "SHORT_DATETIME_FORMAT") if at else NONE


def day_said(text: str) -> str:
    """A day that a finding wrote."""
    try:
        return day(date.fromisoformat(text))
    except ValueError:
        return text


def days(row: Any) -> str:
    """The days of a record, the last one included."""
    last = Period(row.valid_from, row.valid_to).last_day
    return f"{day(row.valid_from)} – {day(last)}" if last else gettext("from %(day)s") % {"day": day(row.valid_from)}


def duplicate_claim(pend: Pend) -> Iterable[Fact]:
    """CLM-02: the other claim, and what the two have in common."""
    records, mine = pend.records, pend.line.claim
    other = records.claims.get(pend.said("other_claim"))
    if other is None:
        return [Fact(gettext("The other claim"), pend.said("other_claim"))]
    state = label_of_status(other.status) if pend.claim_link(other) else ""
    facts = [Fact(gettext("The other claim"), f"{other.number} {state}".strip(), pend.claim_link(other))]
    told = [records.declarations.get(claim.pk) for claim in (mine, other)]
    numbers = [row.document_number for row in told if row is not None]
    if len(numbers) == 2 and numbers[0] and numbers[0] == numbers[1]:
        facts.append(Fact(gettext("The same number of the invoice"), numbers[0]))
    theirs = {row.sha256 for row in records.files.get(label_of(other), ()) if row.kind == CLAIM_FILE}
    for file in records.files.get(label_of(mine), ()):
        if file.kind == CLAIM_FILE and file.sha256 in theirs:
            where = pend.link("claims.view", "settlement:claim_file", mine.pk, file.pk)
            facts.append(Fact(gettext("The same file"), file.name, where))
    return facts


def travel(pend: Pend) -> Iterable[Fact]:
    """CLM-23: the visit before, the way, the minutes, and how fast that is."""
    text = pend.said("earlier_line")
    line = int(text) if text.isdecimal() else 0
    before = pend.records.earlier_lines.get((pend.said("earlier_claim"), line))
    where = pend.claim_link(before.claim, before) if before else ""
    metres, minutes = pend.number("metres"), pend.number("minutes")
    yield Fact(gettext("The visit before"), f"{pend.said('earlier_claim')}, № {text}", where)
    yield Fact(gettext("The visit before ended"), moment(before.ends_at) if before else NONE)
    yield Fact(gettext("This one began"), moment(pend.line.starts_at))
    yield Fact(gettext("Metres between them"), pend.said("metres"))
    yield Fact(gettext("Minutes between them"), pend.said("minutes"))
    if metres is not None and minutes:
        yield Fact(gettext("Kilometres an hour that this needs"), f"{metres * 60 / 1000 / minutes:.0f}")


def death(pend: Pend) -> Iterable[Fact]:
    """CLM-26: the day, when we learnt of it, when the visit began."""
    recipient = pend.line.certificate.recipient if pend.line.certificate else None
    if recipient is None or recipient.death_date is None:
        return
    yield Fact(gettext("Day of death"), day(recipient.death_date))
    yield Fact(gettext("We learnt of it"), moment(recipient.death_recorded_at))
    yield Fact(gettext("The visit began"), moment(pend.line.starts_at) if pend.line.starts_at else
               day(pend.line.service_date))  # fmt: skip


def double_funding(pend: Pend) -> Iterable[Fact]:
    """CLM-29: who else pays, or which other service of the day excludes this one.

    Which service a recipient gets from others stays in the office: a provider reads that there is one.
    """
    line, records = pend.line, pend.records
    for row in holding(records.other_payers.get(recipient_of(line), ()), line.service_date):
        if row.service_id == line.service_id or frozenset((row.service_id, line.service_id or 0)) in records.exclusions:
            what = f", {row.reference}: {row.service.name}, {days(row)}" if pend.in_office else ""
            yield Fact(gettext("Who else pays"), f"{row.get_source_display()}{what}")
    for other in records.same_days.get((recipient_of(line), line.service_date), ()):
        rule = records.exclusions.get(frozenset((other.service_id or 0, line.service_id or 0)))
        if rule is not None and other.service is not None:
            where = pend.claim_link(other.claim, other)
            if not where and not pend.in_office:
                yield Fact(gettext("A service that excludes this one"), gettext("another service of another provider"))
                continue
            number = f"{other.claim.number}, № {other.line}: " if where else ""
            yield Fact(gettext("A service that excludes this one"), f"{number}{other.service.name}", where)
            yield Fact(gettext("Why they exclude each other"), rule.reason)


def state_task(pend: Pend) -> Iterable[Fact]:
    """CLM-30: the task, for whom, on which days."""
    line = pend.line
    tasks = pend.records.state_tasks.get((line.claim.provider_id, line.service_id or 0), ())
    for row in holding(tasks, line.service_date):
        if row.recipient_id in (None, recipient_of(line)):
            whom = gettext("for this recipient") if row.recipient_id else gettext("for everybody")
            yield Fact(gettext("State task"), f"{row.reference}, {whom}, {days(row)}")


def service_day(pend: Pend) -> Iterable[Fact]:
    """CLM-33: the days off of the provider, and the weekday of the visit."""
    titles = {number: str(title) for number, title in WEEKDAYS}
    yield Fact(
        gettext("The visit was on"), f"{titles[pend.line.service_date.weekday()]}, {day(pend.line.service_date)}"
    )
    for row in holding(pend.records.schedules.get(pend.line.claim.provider_id, ()), pend.line.service_date):
        off = ", ".join(title for number, title in titles.items() if row.days_off >> number & 1)
        yield Fact(gettext("Days off"), f"{off}, {days(row)}")


def signed_act(pend: Pend) -> Iterable[Fact]:
    """CLM-34: since when an act is needed, and the acts that have come; one may have come after the run."""
    claim = pend.line.claim
    for row in holding(pend.records.acts_needed.get(pend.line.service_id or 0, ()), pend.line.service_date):
        yield Fact(gettext("A signed act is needed"), days(row))
    acts = [row for row in pend.records.files.get(label_of(claim), ()) if row.kind == SIGNED_ACT]
    for act in acts:
        where = pend.link("claims.view", "settlement:claim_file", claim.pk, act.pk)
        yield Fact(gettext("Signed act, attached %(moment)s") % {"moment": moment(act.uploaded_at)}, act.name, where)
    if not acts:
        yield Fact(gettext("Signed act"), gettext("none is attached to the claim"))


def collected_fee(pend: Pend) -> Iterable[Fact]:
    """CLM-37 and CLM-38: what the provider reports beside what was decided."""
    line, records, currency = pend.line, pend.records, pend.records.organisation.currency
    report = records.fee_reports.get((line.claim_id, recipient_of(line)))
    collected = pend.money(pend.number("collected"))
    yield Fact(gettext("Collected, as the check read it"), collected)
    if report is not None:
        told = f"{minor(report.collected_minor, currency)}, {moment(report.recorded_at)}"
        yield Fact(gettext("Last reported by the provider"), told)
    if pend.finding.check_code == "CLM-37":
        limit, taken = pend.number("limit"), pend.number("collected")
        yield Fact(gettext("The recipient pays at most a month"), pend.money(limit))
        if limit is not None and taken is not None:
            yield Fact(gettext("Collected beyond that"), pend.money(taken - limit))
    if pend.may("fees.view"):
        yield from _decided(pend)


def _decided(pend: Pend) -> Iterable[Fact]:
    """The decision on the fee; the income behind it stays on the recipient's page."""
    person = recipient_of(pend.line)
    for row in holding(pend.records.fees.get(person, ()), pend.line.service_date):
        words = [row.get_mode_display(), row.decision, days(row)]
        where = pend.link("recipients.view", "vouchers:recipient", person)
        yield Fact(gettext("Fee decision"), ", ".join(word for word in words if word), where)


def declared_total(pend: Pend) -> Iterable[Fact]:
    """CLM-40: the total of the provider's invoice, the sum of the lines, the difference."""
    row = pend.records.declarations.get(pend.line.claim_id)
    declared, written = pend.number("declared"), pend.number("written")
    if row is not None and row.document_number:
        yield Fact(gettext("Number of the provider's invoice"), row.document_number)
    yield Fact(gettext("The invoice says"), pend.money(declared))
    yield Fact(gettext("The lines come to"), pend.money(written))
    if declared is not None and written is not None:
        yield Fact(gettext("Difference"), pend.money(declared - written))


def outlier(pend: Pend) -> Iterable[Fact]:
    """CLM-41: this recipient beside the mean of the others."""
    mine, mean = pend.number("units"), pend.number("mean")
    yield Fact(gettext("Units of this recipient in the run"), units(mine) if mine is not None else NONE, _pattern(pend))
    yield Fact(gettext("Mean of all recipients"), units(mean) if mean is not None else NONE)
    yield Fact(gettext("Recipients compared"), pend.said("recipients"))
    if mine is not None and mean:
        yield Fact(gettext("Times the mean"), units(round_half_up(mine / mean, 1)))


def round_hours(pend: Pend) -> Iterable[Fact]:
    """CLM-42: the visits of the worker and how many begin and end at full hours."""
    visits, full = pend.number("visits"), pend.number("rounded")
    yield Fact(gettext("Visits of the worker on the claim"), pend.said("visits"), _pattern(pend))
    yield Fact(gettext("Of them at full hours"), pend.said("rounded"))
    if visits and full is not None:
        yield Fact(gettext("Share in per cent"), f"{full * 100 / visits:.0f}")
    if pend.said("why") == "alike":
        yield Fact(gettext("All begin at the same time of day"), moment(pend.line.starts_at))


def _pattern(pend: Pend) -> str:
    where = pend.link("runs.view", "settlement:patterns")
    return where and f"{where}?check={pend.finding.check_code}"


def scan(pend: Pend) -> Iterable[Fact]:
    """CLM-43: when and how far from the address the code was read."""
    line, row = pend.line, pend.records.scans.get(pend.line.redemption_code)
    yield Fact(gettext("The visit ended"), moment(line.ends_at or line.starts_at))
    if row is None:
        yield Fact(gettext("Code read"), gettext("no scan is recorded"))
        return
    yield Fact(gettext("Code read"), moment(row.scanned_at))
    ended = line.ends_at or line.starts_at
    if ended is not None:
        hours = Decimal((row.scanned_at - ended).total_seconds()) / 3600
        yield Fact(gettext("Hours between"), units(round_half_up(hours, 1)))
    metres = NONE if row.distance_m is None else str(row.distance_m)
    yield Fact(gettext("Metres from the recipient's address"), metres)


def new_account(pend: Pend) -> Iterable[Fact]:
    """CLM-44: the change, its days, whether somebody has confirmed it. Numbers are masked but for their end."""
    provider, since = pend.line.claim.provider_id, pend.said("since")
    for row in pend.records.accounts.get(provider, ()):
        if row.since.isoformat() == since:
            who = f", {row.recorded_by}" if row.recorded_by and pend.in_office else ""
            where = pend.link("register.view", "contracts:provider", provider)
            yield Fact(row.get_kind_display(), f"… {row.iban[-4:]}, {moment(row.recorded_at)}{who}", where)
            if row.reason and pend.in_office:
                yield Fact(gettext("Who asked for the change, and how"), row.reason)
    yield Fact(gettext("Used since"), day_said(since))
    yield Fact(gettext("The claim was submitted"), day_said(pend.said("submitted")))
    yield from _held(pend, since)


def _held(pend: Pend, since: str) -> Iterable[Fact]:
    where = pend.link("payment_runs.view", "settlement:holds")
    for hold in pend.records.holds.get(pend.line.claim.provider_id, ()):
        if hold.from_date.isoformat() != since:
            continue
        if hold.lifted_at is None:
            last = Period(hold.from_date, hold.to_date).last_day
            until = gettext("not lifted; until %(day)s") % {"day": day(last)}
        else:
            who = f"{hold.lifted_by}: {hold.lift_reason}" if pend.in_office else ""
            until = f"{gettext('lifted %(moment)s') % {'moment': moment(hold.lifted_at)}} {who}".strip()
        yield Fact(gettext("Hold of payments"), until, where)


def emergency(pend: Pend) -> Iterable[Fact]:
    """CLM-47: when it began, when the act was due and came, the last day of the term."""
    line = pend.line
    cases = pend.records.emergencies.get((recipient_of(line), line.service_id or 0), ())
    case = next((row for row in cases if row.began_on.isoformat() == pend.said("began")), None)
    yield Fact(gettext("It began"), day_said(pend.said("began")))
    yield Fact(gettext("The act was due by"), day_said(pend.said("act_due")))
    yield Fact(gettext("Day of the act"), day(case.act_on) if case and case.act_on else gettext("it has not come"))
    yield Fact(gettext("Last day of the term"), day_said(pend.said("last")))


def group(pend: Pend) -> Iterable[Fact]:
    """CLM-48: people in the group, the norm, units that are divided away."""
    yield Fact(gettext("People in the group"), pend.said("people"))
    yield Fact(gettext("Norm of the service"), pend.said("norm"))
    yield Fact(gettext("Units beyond the proportion"), units(pend.finding.units))


def complaint(pend: Pend) -> Iterable[Fact]:
    """CLM-49: what the recipient complains of, since when, what was answered. Its words are for the office."""
    for row in pend.records.complaints.get(pend.line.redemption_code, ()):
        yield Fact(gettext("Complaint received"), moment(row.recorded_at))
        if any(pend.may(name) for name in ("claims.clear", "recipients.edit", "trail.view")):
            yield Fact(gettext("The recipient says"), row.text)
        if row.answered_at is None:
            where = pend.link("recipients.edit", "settlement:complaint_answer", row.pk)
            yield Fact(gettext("Answer"), gettext("nobody has answered yet"), where)
        else:
            yield Fact(gettext("Answer"), f"{moment(row.answered_at)}: {row.answer}" if pend.in_office else
                       moment(row.answered_at))  # fmt: skip


def grant_budget(pend: Pend) -> Iterable[Fact]:
    """CLM-50: the items of the approved budget, and what was left where money ended."""
    contract = pend.line.claim.contract_id
    where = pend.link("contracts.view", "contracts:contract", contract) if contract else ""
    items = pend.records.grant_items.get(contract or 0, ())
    for row in items:
        yield Fact(
            gettext("Item of the grant's budget"), f"{row.service.name}: {pend.money(row.amount)}, {days(row)}", where
        )
    if not items:
        yield Fact(gettext("Item of the grant's budget"), gettext("the budget has no items"), where)
    if pend.said("why") == "money":
        yield Fact(gettext("It was left"), pend.money(pend.number("left")))
        yield Fact(gettext("Beyond it"), pend.money(pend.number("taken")))


# Beside what is compared or listed (CLM-11, CLM-24), each check says its figures. Every check that can make a line wait
# has a row here or there.
FACTS: dict[str, Callable[[Pend], Iterable[Fact]]] = {
    "CLM-02": duplicate_claim,
    "CLM-23": travel,
    "CLM-26": death,
    "CLM-29": double_funding,
    "CLM-30": state_task,
    "CLM-33": service_day,
    "CLM-34": signed_act,
    "CLM-37": collected_fee,
    "CLM-38": collected_fee,
    "CLM-40": declared_total,
    "CLM-41": outlier,
    "CLM-42": round_hours,
    "CLM-43": scan,
    "CLM-44": new_account,
    "CLM-47": emergency,
    "CLM-48": group,
    "CLM-49": complaint,
    "CLM-50": grant_budget,
}
