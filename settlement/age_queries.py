"""How old is what is open at the end of a day: debts to providers, fees to come, bank lines without an explanation.

Minor units. What reduces a debt reduces its oldest part first.
"""

# ruff: noqa: S608  SQL is put together from texts of this file; every value is a parameter.

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from config.accounts.models import Organisation
from settlement.run_queries import end_of


@dataclass(frozen=True)
class AgeRow:
    """What one owes or is owed, by age: up to 30 days, to 60, to 90, older. ``ahead``: paid more than is owed."""

    name: str
    ages: tuple[int, ...]
    ahead: int = 0

    @property
    def total(self) -> int:
        """What is open."""
        return sum(self.ages)


# Of each owner the days on which the debt grew, newest first; the balance lies on the newest of them.
_OPEN = """
WITH moved AS (
    SELECT {owner} AS owner, e.date, sum({grows}) AS grown, sum({grows} - {shrinks}) AS net
    FROM settlement_account a JOIN settlement_posting p ON p.account_id = a.id
    JOIN settlement_entry e ON e.id = p.entry_id
    WHERE a.organisation_id = %(organisation)s AND a.kind = %(kind)s AND e.date <= %(on)s GROUP BY 1, 2
), summed AS (
    SELECT owner, date, grown, sum(net) OVER (PARTITION BY owner) AS balance,
        sum(grown) OVER (PARTITION BY owner ORDER BY date DESC) - grown AS newer
    FROM moved
), open AS (
    SELECT owner, date, LEAST(grown, GREATEST(balance - newer, 0)) AS amount FROM summed
    UNION ALL
    -- Nothing is open; the excess has no age.
    SELECT owner, NULL, balance FROM summed GROUP BY owner, balance HAVING balance < 0
)
"""
_COLUMNS = """
    COALESCE(sum(o.amount) FILTER (WHERE %(on)s - o.date <= 30), 0)::bigint,
    COALESCE(sum(o.amount) FILTER (WHERE %(on)s - o.date > 30 AND %(on)s - o.date <= 60), 0)::bigint,
    COALESCE(sum(o.amount) FILTER (WHERE %(on)s - o.date > 60 AND %(on)s - o.date <= 90), 0)::bigint,
    COALESCE(sum(o.amount) FILTER (WHERE %(on)s - o.date > 90), 0)::bigint,
    COALESCE(-sum(o.amount) FILTER (WHERE o.date IS NULL), 0)::bigint
"""
_PAYABLES = (
    _OPEN.format(owner="a.provider_id", grows="p.credit", shrinks="p.debit")
    + f"""SELECT v.name, {_COLUMNS} FROM open o JOIN contracts_provider v ON v.id = o.owner
    GROUP BY v.id HAVING sum(abs(o.amount)) > 0 ORDER BY v.name, v.id"""
)
# Notices by the month that they are for.
_RECEIVABLES = (
    _OPEN.format(owner="e.label", grows="p.debit", shrinks="p.credit")
    + f"""SELECT to_char(n.month, 'MM.YYYY'), {_COLUMNS}
    FROM open o JOIN settlement_feenotice n ON o.owner = 'settlement.feenotice:' || n.id
    GROUP BY n.month HAVING sum(abs(o.amount)) > 0 ORDER BY n.month"""
)
# What providers have to give back, by provider.
_RECOVERIES = (
    _OPEN.format(owner="a.provider_id", grows="p.debit", shrinks="p.credit")
    + f"""SELECT v.name, {_COLUMNS} FROM open o JOIN contracts_provider v ON v.id = o.owner
    GROUP BY v.id HAVING sum(abs(o.amount)) > 0 ORDER BY v.name, v.id"""
)
# Lines as they stood at the end of the day: what was matched, received, given back, cleared or explained by then.
_UNMATCHED = f"""
SELECT o.iban, {_COLUMNS} FROM (
    SELECT s.iban, l.booked_on AS date, abs(l.amount_minor)
        - COALESCE((SELECT abs(sum(m.amount_minor)) FROM settlement_match m
                    WHERE m.statement_line_id = l.id AND m.matched_at <= %(end)s), 0)
        - COALESCE((SELECT sum(r.amount_minor) FROM settlement_feereceipt r
                    WHERE r.statement_line_id = l.id AND r.recorded_at <= %(end)s), 0)
        - COALESCE((SELECT abs(sum(b.amount_minor)) FROM settlement_feerefundtransfer b
                    WHERE b.statement_line_id = l.id AND b.recorded_at <= %(end)s), 0)
        - COALESCE((SELECT sum(w.amount_minor) FROM settlement_clawbackrecovery w
                    WHERE w.statement_line_id = l.id AND w.recorded_at <= %(end)s), 0)
        - COALESCE((SELECT sum(v.amount_minor) FROM settlement_advancereturn v
                    WHERE v.statement_line_id = l.id AND v.recorded_at <= %(end)s), 0)
        - COALESCE((SELECT abs(sum(y.amount_minor)) FROM settlement_clearingpayment y
                    WHERE y.statement_line_id = l.id AND y.recorded_at <= %(end)s), 0)
        AS amount
    FROM settlement_statementline l JOIN settlement_statement s ON s.id = l.statement_id
    WHERE s.organisation_id = %(organisation)s AND s.status IN ('imported', 'reconciled') AND l.booked_on <= %(on)s
      AND NOT (l.status = 'explained' AND (l.explained_by_id IS NULL OR EXISTS (
          SELECT 1 FROM settlement_entry e
          WHERE e.label = 'settlement.statementline:' || l.id AND e.recorded_at <= %(end)s)))
) o WHERE o.amount > 0 GROUP BY o.iban ORDER BY o.iban
"""


def payable_ages(organisation: Organisation, on: date) -> list[AgeRow]:
    """Providers to whom something is owed, or who got more than that. A returned payment is a debt of its day."""
    return _rows(_PAYABLES, organisation, on, kind="payable")


def receivable_ages(organisation: Organisation, on: date) -> list[AgeRow]:
    """Fees that recipients still have to pay, by the month of their notices."""
    return _rows(_RECEIVABLES, organisation, on, kind="receivable")


def recovery_ages(organisation: Organisation, on: date) -> list[AgeRow]:
    """What providers have to give back after clawbacks, from the day of the decision."""
    return _rows(_RECOVERIES, organisation, on, kind="recovery")


def advance_ages(organisation: Organisation, on: date) -> list[AgeRow]:
    """Advances that providers have not used, from the day they were granted."""
    return _rows(_RECOVERIES, organisation, on, kind="advance")


def unmatched_ages(organisation: Organisation, on: date) -> list[AgeRow]:
    """Bank lines that nobody had matched or explained, by account; receipts and payments both count."""
    return _rows(_UNMATCHED, organisation, on)


def _rows(query: str, organisation: Organisation, on: date, **more: Any) -> list[AgeRow]:
    params = {"organisation": organisation.pk, "on": on, "end": end_of(on, organisation), **more}
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return [AgeRow(name, tuple(ages), ahead) for name, *ages, ahead in cursor.fetchall()]
