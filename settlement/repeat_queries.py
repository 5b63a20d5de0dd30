"""Bank lines that an earlier statement of the account may have told already."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from settlement.gateways.identifiers import find_creditor_references, find_own_identifiers
from settlement.models import Statement, StatementLine
from settlement.models.statements import IN_FORCE

# Lines that count once: another statement told them.
REPEATED = Q(status="explained", explained_by=None)


def is_repeated(line: StatementLine) -> bool:
    """Whether a read line is one of ``REPEATED``."""
    return line.status == "explained" and line.explained_by_id is None


def is_used(line: StatementLine) -> bool:
    """Whether money is booked by the line: it waits no more, and no other statement told it."""
    return line.status != "unmatched" and not is_repeated(line)


def perhaps_told_before(statement: Statement) -> dict[int, StatementLine]:
    """Open lines of a statement that an earlier statement of the account may tell of too, each with that line: of the
    same day, sum, account of the other side and text, where one of the two bears no number of the bank. As often as the
    earlier ones have it. Two queries.
    """
    rows = statement.lines.filter(Q(status="unmatched") | REPEATED)
    # What counts once already has used up a line of the earlier ones.
    lines = sorted(rows, key=lambda line: (line.status == "unmatched", line.position))
    others = StatementLine.objects.filter(
        statement__organisation=statement.organisation_id,
        statement__iban=statement.iban,
        statement__status__in=IN_FORCE,
        statement__lt=statement.pk,
        booked_on__in={line.booked_on for line in lines},
        amount_minor__in={line.amount_minor for line in lines},
    ).exclude(REPEATED)
    known: dict[tuple[Any, ...], list[StatementLine]] = {}
    for other in others.select_related("statement").order_by("statement", "position"):
        known.setdefault(_looks(other), []).append(other)
    found: dict[int, StatementLine] = {}
    for line in lines:
        alike = known.get(_looks(line), [])
        before = next((row for row in alike if not (row.bank_reference and line.bank_reference)), None)
        if before is not None:
            alike.remove(before)
            found[line.pk] = before
    return {line.pk: found[line.pk] for line in lines if line.pk in found and line.status == "unmatched"}


def _looks(line: StatementLine) -> tuple[Any, ...]:
    """What two tellings of one movement have in common: of a text that quotes references only these."""
    text = line.remittance_text
    quoted = {line.end_to_end_id, *find_creditor_references(text), *find_own_identifiers(text)} - {""}
    told = tuple(sorted(quoted)) or " ".join(text.split()).casefold()
    return line.booked_on, line.amount_minor, line.currency, line.counterparty_iban, told
