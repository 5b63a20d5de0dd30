"""Payment orders for gateway tests."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from stdnum.iso7064 import mod_97_10

from settlement.gateways.base import Party, PaymentInstruction, PaymentOrder

CITY = Party("Виконавчий комітет міської ради", "04054346")
DAY = date(2025, 12, 12)


def account(number: int) -> str:
    """A Ukrainian IBAN with right check digits."""
    body = f"305299{number:019d}"
    return f"UA{mod_97_10.calc_check_digits(body + 'UA')}{body}"


def instruction(number: int, amount: str = "100.00", *, day: date = DAY, debtor: int = 1) -> PaymentInstruction:
    """One transfer to provider ``number``."""
    return PaymentInstruction(
        reference=f"PAY-2025-{number:04d}",
        debtor=CITY,
        debtor_account=account(debtor),
        creditor=Party(f"Громадська організація «Турбота» № {number}", "32855961"),
        creditor_account=account(1000 + number),
        amount=Decimal(amount),
        currency="UAH",
        execution_date=day,
        remittance=f"Соціальні послуги за листопад 2025, рахунок {number}",
    )


def order(*amounts: str, reference: str = "PR-2025-0001") -> PaymentOrder:
    """An order with one transfer for each amount."""
    items = tuple(instruction(number, amount) for number, amount in enumerate(amounts, 1))
    return PaymentOrder(reference, CITY, datetime(2025, 12, 12, 9, 0, tzinfo=UTC), items)
