"""Done adjudication runs with remittances, for tests of payments. Rows are made directly: adjudication has its own
tests.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import connection

from config.accounts.models import Organisation
from contracts.actions.reference import load_reference
from contracts.models import Provider
from settlement.models import Account, AdjudicationRun, Claim, Entry, Posting, Remittance
from tests.settlement.gateways.orders import account

NOVEMBER = date(2025, 11, 1)


def provider(number: int, *, iban: str | None = None) -> Provider:
    """Provider ``P<number>`` with a valid account."""
    row, _ = Provider.objects.get_or_create(
        code=f"P{number}",
        defaults={
            "name": f"Надавач {number}",
            "sector": "nonprofit",
            "iban": account(1000 + number) if iban is None else iban,
        },
    )
    return row


def adjudicated(
    organisation: Organisation, at: datetime, *payables: tuple[int, int], number: int = 1, period: date = NOVEMBER
) -> list[Remittance]:
    """A done run with one claim and remittance for each (provider number, payable in minor units)."""
    run = AdjudicationRun.objects.create(
        organisation=organisation,
        period=period,
        number=number,
        as_of=at.date(),
        recorded_at=at,
        known_at=at,
        status="done",
    )
    return [_remittance(run, index, key, payable, at) for index, (key, payable) in enumerate(payables, 1)]


def _remittance(run: AdjudicationRun, index: int, key: int, payable: int, at: datetime) -> Remittance:
    claim = Claim.objects.create(
        organisation=run.organisation,
        number=f"C-{run.period:%y%m}-{run.number}-{index}",
        provider=provider(key),
        period=run.period,
        status="draft",
        submitted_at=at,
        recorded_at=at,
    )
    claim.move_to("submitted", at=at)
    claim.move_to("adjudicated", at=at)
    return Remittance.objects.create(
        run=run,
        claim=claim,
        provider=claim.provider,
        amount_claimed=payable,
        reductions=0,
        pended=0,
        gross=payable,
        fee=0,
        payable=payable,
    )


def ready(at: datetime) -> None:
    """Load the parameters that actions read."""
    load_reference(at=at)


def balances(organisation: Organisation) -> dict[str, int]:
    """Debit less credit of each account with movements, minor units."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.code, sum(p.debit - p.credit) FROM settlement_posting p "
            "JOIN settlement_account a ON a.id = p.account_id WHERE a.organisation_id = %s GROUP BY a.code",
            [organisation.pk],
        )
        return {code: int(total) for code, total in cursor.fetchall()}


def owe(organisation: Organisation, remittances: list[Remittance], at: datetime) -> None:
    """Post what adjudication would: the expense and the debt to each provider."""
    expense, _ = Account.objects.get_or_create(
        organisation=organisation, code="expense:test", defaults={"kind": "expense", "currency": "UAH"}
    )
    for row in remittances:
        payable, _ = Account.objects.get_or_create(
            organisation=organisation,
            code=f"payable:{row.provider.code}",
            defaults={"kind": "payable", "currency": "UAH", "provider": row.provider},
        )
        entry = Entry.objects.create(
            organisation=organisation,
            number=f"T-{row.pk}",
            date=row.run.period,
            event="claim.adjudicated",
            label=f"settlement.claim:{row.claim_id}",
            key=f"claim.adjudicated:{row.pk}",
            recorded_at=at,
        )
        shared = {"entry": entry, "date": entry.date, "currency": "UAH", "claim_id": row.claim_id}
        Posting.objects.bulk_create(
            [
                Posting(account=expense, debit=row.payable, **shared),
                Posting(account=payable, credit=row.payable, **shared),
            ]
        )
