"""The cast of the demo and of the tests: obviously fictional people, one per role at least."""

from __future__ import annotations

from dataclasses import dataclass

from config import roles


@dataclass(frozen=True)
class Person:
    """A person of the cast. ``office``: works for the municipality."""

    username: str
    display_name: str
    roles: tuple[str, ...]
    office: bool = True


PASSWORD = "demo-servisy-2025"  # noqa: S105  the demo accounts are public by design

CAST: tuple[Person, ...] = (
    Person("bohdan", "Богдан Вигаданий", (roles.OFFICER,)),
    Person("sofiia", "Софія Вигадана", (roles.CASE_WORKER,)),
    Person("halyna", "Галина Вигадана", (roles.FINANCE_MAKER,)),
    Person("ivan", "Іван Вигаданий", (roles.FINANCE_CHECKER,)),
    Person("mariia", "Марія Вигадана", (roles.AUDITOR,)),
    Person("oksana", "Оксана Вигадана", (roles.NORM_APPROVER,)),
    Person("pavlo", "Павло Вигаданий", (roles.PARAMETER_ADMIN,)),
    Person("admin", "Адміністратор Вигаданий", (roles.ADMINISTRATOR,)),
    Person("chair", "Голова Комісії", (roles.COMMISSION,)),
    Person("member2", "Друга Членкиня", (roles.COMMISSION,)),
    Person("member3", "Третій Член", (roles.COMMISSION,)),
    Person("member4", "Четверта Членкиня", (roles.COMMISSION,)),
    Person("member5", "П'ятий Член", (roles.COMMISSION,)),
    Person("nadiia", "Надія Вигадана", (roles.PROVIDER,), office=False),
    Person("taras", "Тарас Вигаданий", (roles.PROVIDER,), office=False),
    Person("lidiia", "Лідія Вигадана", (roles.PROVIDER,), office=False),
    Person("roman", "Роман Вигаданий", (roles.PROVIDER,), office=False),
    Person("larysa", "Лариса Вигадана", (roles.PROVIDER,), office=False),
    Person("olena", "Олена Вигадана", (roles.RECIPIENT,), office=False),
    Person("petro", "Петро Вигаданий", (roles.RECIPIENT,), office=False),
    Person("outsider", "Стороння Особа", (), office=False),
)

# People of the neighbouring municipality, and of the provider there.
NEIGHBOURS: tuple[Person, ...] = (
    Person("yaroslav", "Ярослав Сусідній (Калинівка)", (roles.OFFICER, roles.ADMINISTRATOR)),
    Person("zoriana", "Зоряна Сусідня (Калинівка)", (roles.CASE_WORKER,)),
    Person("kateryna", "Катерина Сусідня (Калинівка)", (roles.FINANCE_MAKER,)),
    Person("mykhailo", "Михайло Сусідній (Калинівка)", (roles.FINANCE_CHECKER, roles.NORM_APPROVER)),
    Person("stefaniia", "Стефанія Сусідня (Калинівка)", (roles.PROVIDER,), office=False),
)

# Who represents the provider that begins in November.
NEWCOMER = Person("vasyl", "Василь Вигаданий", (roles.PROVIDER,), office=False)
