"""Obviously fictional recipients, spread over territories and needs. Deterministic: the same people at every load."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

FIRST_FEMALE = (
    "Ганна",
    "Марія",
    "Олена",
    "Віра",
    "Надія",
    "Любов",
    "Ніна",
    "Раїса",
    "Тамара",
    "Галина",
    "Євдокія",
    "Зоя",
)
FIRST_MALE = (
    "Іван",
    "Петро",
    "Микола",
    "Василь",
    "Степан",
    "Андрій",
    "Григорій",
    "Федір",
    "Борис",
    "Яків",
    "Юхим",
    "Лев",
)
SURNAMES_FEMALE = (
    "Вигадана", "Умовна", "Зразкова", "Примірна", "Тестова", "Казкова", "Небувала", "Уявна", "Пробна", "Навчальна",
)  # fmt: skip
SURNAMES_MALE = (
    "Вигаданий", "Умовний", "Зразковий", "Примірний", "Тестовий", "Казковий", "Небувалий", "Уявний", "Пробний", "Навчальний",
)  # fmt: skip

TERRITORIES = (
    # code, name, kind
    ("CENTRE", "Вербівка, центр", "urban"),
    ("RIVER", "Вербівка, Заріччя", "urban"),
    ("STATION", "Вербівка, Станційний", "urban"),
    ("LUHOVE", "село Лугове", "rural"),
    ("HAI", "село Гай", "rural"),
)


@dataclass(frozen=True)
class DemoRecipient:
    """A recipient of the demo; ``income`` is the monthly income of a pensioner living alone, UAH."""

    number: int
    name: str
    birth_date: date
    territory: str
    income: Decimal
    phone: str
    address: str

    @property
    def code(self) -> str:
        """Register code."""
        return f"R-{self.number:04d}"


def tax_id_for(birth_date: date, serial: int) -> str:
    """A made-up РНОКПП with a valid check digit: days since 31.12.1899, a serial, the check digit."""
    digits = [int(d) for d in f"{(birth_date - date(1899, 12, 31)).days:05d}{serial % 10000:04d}"]
    weights = (-1, 5, 7, 9, 4, 6, 10, 5, 7)
    check = sum(w * d for w, d in zip(weights, digits, strict=True)) % 11 % 10
    return "".join(map(str, digits)) + str(check)


def demo_recipient(number: int) -> DemoRecipient:
    """A pensioner; the incomes of a few dozen numbers fall into all three modes of payment."""
    female = number % 3 != 0
    firsts, surnames = (FIRST_FEMALE, SURNAMES_FEMALE) if female else (FIRST_MALE, SURNAMES_MALE)
    first = firsts[number * 7 % len(firsts)]
    surname = surnames[number * 3 % len(surnames)]
    return DemoRecipient(
        number=number,
        name=f"{surname} {first}-{number}",
        birth_date=date(1938, 1, 1) + timedelta(days=number * 37 % 6900),
        territory=TERRITORIES[number * 11 % len(TERRITORIES)][0],
        income=_income(number),
        phone=f"+38000{number:07d}",
        address=f"вул. Вигадана, {number}",
    )


def _income(number: int) -> Decimal:
    # Most pensioners stay below two subsistence minimums (4 722); every fifth pays a share, every fortieth in full.
    if number % 40 == 0:
        return Decimal("9800.00") + number
    if number % 5 == 0:
        return Decimal("4800.00") + number * Decimal("3.17")
    return Decimal("2800.00") + number * Decimal("4.05")
