"""What speaks against the claims of a newcomer, who weighs it, and what comes of it.

The checks that each row is for stand beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal as D
from typing import Any

from django.utils.translation import gettext_noop

from config.demo.chapters.claims import judge
from config.demo.chapters.ground import ADAPTATION, CRISIS, HOME
from config.demo.chapters.newcomer import (
    CODE,
    NUMBER,
    PRICES,
    USER,
    granted_visits,
    known_provider,
    recipient,
    service,
    visits,
)
from config.demo.chapters.payment import new_account
from config.demo.chapters.visits import FIRST, Reported, certificate_numbers
from config.demo.stage import Stage, ensure, moment
from contracts.actions.check_facts import RelatedPerson, add_grant_item, declare_relation
from contracts.models import Contract, GrantItem, Provider, ProviderAccount, ProviderRelation
from settlement.actions.check_facts import attach_signed_act, declare_claim, give_feedback, report_fee
from settlement.actions.claims import create_claim, submit_claim
from settlement.actions.examinations import give_hint_feedback, record_verification
from settlement.actions.pends import assign_pend, confirm_clearance, keep_pend, propose_clearance
from settlement.claim_rows import LineDraft
from settlement.models import (
    Claim,
    ClosenessHint,
    Finding,
    KeptPend,
    PendAssignment,
    PendProposal,
    VerificationVisit,
)
from vouchers.actions.check_facts import answer_complaint, open_complaint, record_scan
from vouchers.models import Redemption, VisitComplaint, VisitScan

HANDED_IN = moment(2025, 12, 10, 10)
NEW_ACCOUNT = "UA913223130000026007233566002"
ACCOUNT_CHANGED, AFTER_CHANGE = moment(2025, 12, 11, 10), moment(2025, 12, 11, 15)
JUDGED, WEIGHED, JUDGED_AGAIN = moment(2025, 12, 12, 10), moment(2025, 12, 12, 14), moment(2025, 12, 15, 11)
INVOICE = "СВ-31"


def weigh_evidence(stage: Stage) -> None:
    """Facts, claims, a run over them, what people decide, and a run over what they decided."""
    stage.say(92, gettext_noop("Evidence about visits"))
    provider = known_provider(stage)
    _scans(stage)
    _complaints(stage)
    _claims(stage, provider)
    judge(stage, FIRST, at=JUDGED)
    _decide(stage, provider)
    judge(stage, FIRST, at=JUDGED_AGAIN)


# Code of the visit, minutes from its end to the scan, metres to the address, place (hundred-thousandths of a degree).
SCANS: tuple[tuple[str, int, int, tuple[int, int] | None], ...] = (
    ("Z-0460-0310", -55, 8, None),
    ("Z-0461-0312", -58, 14, None),
    ("Z-0460-0510", -57, 6, None),
    ("Z-0461-0512", -3, 21, None),
    ("Z-0461-0712", -50, 2300, None),  # CLM-43: far
    ("Z-0461-1212", 31 * 60, 9, None),  # CLM-43: late
    ("Z-0460-1910", -59, 11, (4_923_310, 2_847_120)),
    ("Z-0461-1911", -58, 17, (4_936_950, 2_871_640)),  # CLM-23: ten minutes later, more than twenty kilometres away
)
# The visit, what was said on which day, the answer if there is one.
COMPLAINTS = (
    ("Z-0461-2112", "Соціальна робітниця пішла через двадцять хвилин: сказала, що поспішає.", 24, ""),  # CLM-49
    ("Z-0462-1714", "Прийшла із запізненням на пів години.", 18, "Надавач вибачився; візит відбувся повністю."),
)


def _visit(stage: Stage, code: str) -> Redemption:
    return Redemption.objects.get(organisation=stage.organisation, code=code)


def _scans(stage: Stage) -> None:
    for code, minutes, metres, place in SCANS:
        visit = _visit(stage, code)
        assert visit.ends_at is not None  # visits of a provider's spreadsheet have both their times
        scanned = visit.ends_at + timedelta(minutes=minutes)
        if not VisitScan.objects.filter(redemption=visit).exists():
            record_scan(
                organisation=stage.organisation,
                redemption=visit,
                scanned_at=scanned,
                distance_m=metres,
                latitude_e5=place and place[0],
                longitude_e5=place and place[1],
                actor=stage.actor("sofiia"),
                at=moment(2025, 12, 2, 11),
            )


def _complaints(stage: Stage) -> None:
    for code, text, day, answer in COMPLAINTS:
        visit = _visit(stage, code)
        row = ensure(
            VisitComplaint.objects.filter(redemption=visit),
            lambda visit=visit, text=text, day=day: open_complaint(  # type: ignore[misc]
                organisation=stage.organisation,
                redemption=visit,
                text=text,
                actor=stage.actor("sofiia"),
                at=moment(2025, 11, day, 12),
            ),
        )
        if answer and row.answered_at is None:
            answer_complaint(
                organisation=stage.organisation,
                complaint_id=row.pk,
                answer=answer,
                actor=stage.actor("sofiia"),
                at=moment(2025, 11, day + 2, 15),
            )


@dataclass(frozen=True)
class Invoice:
    """Which visits of the month stand on it, its number, its total beyond the lines, how much of it is VAT."""

    number: str
    at: datetime
    takes: Callable[[Reported], bool]
    beyond: int = 0
    vat_part: int = 0


def _of(what: str, *, person: str = "", days: Iterable[int] = ()) -> Callable[[Reported], bool]:
    def takes(item: Reported) -> bool:
        visit = item.visit
        mine = visit.recipient == person or (not person and visit.recipient != "R-0468")
        return visit.service == what and mine and (not days or visit.day.day in days)

    return takes


INVOICES = (
    # CLM-40: two visits more than the lines; CLM-21, 23, 29, 30, 33, 36, 37, 38, 42, 43, 49 lie in the facts.
    Invoice(INVOICE, HANDED_IN, _of(HOME), beyond=18_800),
    # CLM-39: a sixth of it is VAT; CLM-17: the norm was lowered inside the month; CLM-48: twelve people on one day.
    Invoice("СВ-32", HANDED_IN + timedelta(minutes=20), _of(ADAPTATION), vat_part=6),
    # CLM-34: no act; CLM-47: the act of the emergency came late.
    Invoice("СВ-33", HANDED_IN + timedelta(minutes=40), _of(CRISIS)),
    # CLM-02: the number of the first invoice again.
    Invoice(INVOICE, HANDED_IN + timedelta(minutes=60), _of(HOME, person="R-0468", days=(4, 11))),
    # CLM-44: handed in when the account was new.
    Invoice("СВ-34", AFTER_CHANGE, _of(HOME, person="R-0468", days=(18, 25))),
)
# Recipient and what the provider says it collected: less than is due, above the limit, from somebody who pays nothing.
COLLECTED = ((460, 90_000), (465, 160_000), (466, 15_000))


def _claims(stage: Stage, provider: Provider) -> None:
    contract = Contract.objects.get(organisation=stage.organisation, number=NUMBER)
    certificates, known = certificate_numbers(stage), visits()
    for invoice in INVOICES:
        if invoice.at == AFTER_CHANGE:
            _change_account(stage, provider)
        lines = [_line(item, certificates, PRICES[item.visit.service]) for item in known if invoice.takes(item)]
        _hand_in(stage, contract, USER, lines, invoice)
    _claim_under_grant(stage, certificates)


def _line(item: Reported, certificates: dict[str, str], price: D) -> LineDraft:
    visit = item.visit
    return LineDraft(
        redemption_code=item.code,
        certificate_number=certificates[visit.recipient],
        service_code=visit.service,
        service_date=visit.day,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        worker_code=visit.worker,
        units=visit.units,
        unit_rate=price,
    )


def _hand_in(
    stage: Stage,
    contract: Contract,
    user: str,
    lines: list[LineDraft],
    invoice: Invoice | None,
) -> None:
    """A claim of these rows with the words of its invoice and the fees collected, handed in."""
    at = invoice.at if invoice else AFTER_CHANGE
    by: dict[str, Any] = {"organisation": stage.organisation, "actor": stage.actor(user), "at": at}
    mine = {"provider": contract.provider, "contract": contract, "period": FIRST}
    claim = ensure(
        Claim.objects.filter(organisation=stage.organisation, recorded_at=at, **mine),
        lambda: create_claim(lines=lines, **mine, **by),  # type: ignore[arg-type]
    )
    if claim.status != "draft":
        return
    if invoice is not None:
        _declare(claim, lines, invoice, by)
    if invoice is INVOICES[0]:
        for number, collected in COLLECTED:
            known = recipient(stage, number)
            report_fee(claim_id=claim.pk, recipient=known, collected_minor=collected, **by)
    submit_claim(claim_id=claim.pk, **by)


def _declare(claim: Claim, lines: list[LineDraft], invoice: Invoice, by: dict[str, Any]) -> None:
    total = int(sum(line.amount_claimed for line in lines) * 100)
    vat = total // invoice.vat_part if invoice.vat_part else 0
    declare_claim(
        claim_id=claim.pk, document_number=invoice.number, total_minor=total + invoice.beyond, vat_minor=vat, **by
    )


def _change_account(stage: Stage, provider: Provider) -> None:
    if not ProviderAccount.objects.filter(provider=provider, iban=NEW_ACCOUNT).exists():
        new_account(stage, provider, NEW_ACCOUNT, ACCOUNT_CHANGED)


def _claim_under_grant(stage: Stage, certificates: dict[str, str]) -> None:
    """CLM-50: care at home claimed under a grant whose budget names adaptation only."""
    grant = Contract.objects.get(organisation=stage.organisation, basis="grant")
    ensure(
        GrantItem.objects.filter(contract=grant),
        lambda: add_grant_item(
            organisation=stage.organisation,
            contract=grant,
            service=service(stage, ADAPTATION),
            amount=D("60000.00"),
            valid_from=FIRST,
            valid_to=None,
            actor=stage.actor("bohdan"),
            at=moment(2025, 11, 14, 11),
        ),
    )
    lines = [_line(item, certificates, D("85.00")) for item in granted_visits()]
    _hand_in(stage, grant, "nadiia", lines, None)


def _decide(stage: Stage, provider: Provider) -> None:
    """A pend lifted by two people, one upheld against a proposal, one proposed, others put into somebody's charge."""
    lifted = _pend(stage, "Z-0464-1217", "CLM-34")
    if not PendProposal.objects.filter(claim_line_id=lifted["claim_line_id"]).exists():
        attach_signed_act(
            organisation=stage.organisation,
            claim_id=Claim.objects.get(lines=lifted["claim_line_id"]).pk,
            name="akt-12-11-2025.txt",
            content="Акт наданих послуг від 12.11.2025 з підписом отримувачки (вигаданий)".encode(),
            content_type="text/plain",
            actor=stage.actor(USER),
            at=WEIGHED - timedelta(hours=1),
        )
        proposal = _propose(stage, lifted, "Акт з підписом отримувачки надійшов.")
        _confirm(stage, proposal)
    far = _pend(stage, "Z-0461-0712", "CLM-43")
    if not KeptPend.objects.filter(claim_line_id=far["claim_line_id"]).exists():
        _propose(stage, far, "Робітниця каже, що в під'їзді немає зв'язку.")
        _keep(stage, far, "Отримувачка каже, що 7 листопада до неї ніхто не приходив.")
        _keep(stage, _pend(stage, "Z-0461-2112", "CLM-49"), "Скарга слушна: візит тривав двадцять хвилин.")
        _propose(stage, _pend(stage, "Z-0461-1212", "CLM-43"), "Телефон був розряджений; сусідка підтвердила візит.")
    for code, check, who in (("Z-0468-1816", "CLM-44", "ivan"), ("Z-0460-0310", "CLM-40", "halyna")):
        _assign(stage, _pend(stage, code, check), who)
    _nothing_in_it(stage)
    _refuse_relative(stage, provider)


def _pend(stage: Stage, code: str, check: str) -> dict[str, Any]:
    """The pend of a visit as the actions ask for it."""
    found = Finding.objects.filter(claim_line__claim__provider__code=CODE, claim_line__redemption_code=code)
    row = found.filter(check_code=check, run__organisation=stage.organisation).earliest("pk")
    return {"organisation": stage.organisation, "claim_line_id": row.claim_line_id, "check_code": check}


def _propose(stage: Stage, pend: dict[str, Any], reason: str) -> PendProposal:
    return propose_clearance(**pend, reason=reason, actor=stage.actor("halyna"), at=WEIGHED)


def _confirm(stage: Stage, proposal: PendProposal) -> None:
    at = WEIGHED + timedelta(hours=2)
    confirm_clearance(organisation=stage.organisation, proposal_id=proposal.pk, actor=stage.actor("ivan"), at=at)


def _keep(stage: Stage, pend: dict[str, Any], reason: str) -> None:
    keep_pend(**pend, reason=reason, actor=stage.actor("ivan"), at=WEIGHED + timedelta(hours=2))


def _assign(stage: Stage, pend: dict[str, Any], username: str) -> None:
    rows = PendAssignment.objects.filter(claim_line_id=pend["claim_line_id"], check_code=pend["check_code"])
    if not rows.exists():
        who = stage.people[username].pk
        assign_pend(**pend, assigned_to_id=who, actor=stage.actor("ivan"), at=WEIGHED)


# A finding that asks a question, and the answer of the person who looked into it.
NOTHING_IN_IT = (
    ("CLM-42", ADAPTATION, "Група збирається щовівторка о десятій: так і має бути."),
    ("CLM-23", HOME, "Місце першого сканування взято з телефона, який щойно ввімкнули."),
)


def _nothing_in_it(stage: Stage) -> None:
    office: dict[str, Any] = {"organisation": stage.organisation, "actor": stage.actor("halyna"), "at": WEIGHED}
    found = Finding.objects.filter(run__organisation=stage.organisation, claim_line__claim__provider__code=CODE)
    for check, what, reason in NOTHING_IN_IT:
        for row in found.filter(check_code=check, claim_line__service_code=what, feedback=None):
            give_feedback(finding_id=row.pk, reason=reason, **office)
    hints = ClosenessHint.objects.filter(examination__run__organisation=stage.organisation, kind="family")
    if not hints.exclude(feedback=None).exists():
        hint = hints.earliest("pk")
        give_hint_feedback(hint_id=hint.pk, reason="Однофамільці, не родичі: перевірено за документами.", **office)


def _refuse_relative(stage: Stage, provider: Provider) -> None:
    """CLM-45: the case worker is a sister of the director, so somebody else has to ask the recipient."""
    ensure(
        ProviderRelation.objects.filter(provider=provider),
        lambda: declare_relation(
            organisation=stage.organisation,
            user=stage.people["sofiia"],
            provider=provider,
            reason="Сестра директорки товариства",
            valid_from=date(2025, 12, 12),
            valid_to=None,
            actor=stage.actor("bohdan"),
            at=WEIGHED,
        ),
    )
    drawn = VerificationVisit.objects.filter(claim_line__claim__provider=provider, result=None).earliest("pk")
    try:
        record_verification(
            organisation=stage.organisation,
            visit_id=drawn.pk,
            outcome="held",
            checked_on=date(2025, 12, 12),
            note="Подзвонила.",
            actor=stage.actor("sofiia"),
            at=WEIGHED + timedelta(hours=1),
        )
    except RelatedPerson as refusal:
        stage.notes["relative"] = refusal.sentence
