"""An entry is posted in one statement and never again: who adds two balanced postings later would rewrite history,
also that of a closed month, which only new entries were kept out of.
"""

from django.db import migrations

_GUARD = """
CREATE OR REPLACE FUNCTION posting_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken record;
BEGIN
    SELECT entry_id, currency, sum(debit) - sum(credit) AS difference INTO broken
    FROM added GROUP BY entry_id, currency HAVING sum(debit) <> sum(credit) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'ledger entry % does not balance in %: difference %', broken.entry_id, broken.currency,
            broken.difference USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_balance';
    END IF;
    -- Set-wise instead of two foreign keys: those cost more than all other checks together.{entries}
    SELECT a.account_id INTO broken FROM (SELECT DISTINCT account_id, currency FROM added) a
    WHERE NOT EXISTS (SELECT 1 FROM settlement_account c
                      WHERE c.id = a.account_id AND c.currency = a.currency) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'posting without account % of its currency', broken.account_id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
"""

_BEFORE = """
    SELECT a.entry_id INTO broken FROM (SELECT DISTINCT entry_id, date FROM added) a
    WHERE NOT EXISTS (SELECT 1 FROM settlement_entry e WHERE e.id = a.entry_id AND e.date = a.date) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'posting without entry % of its day', broken.entry_id USING ERRCODE = 'foreign_key_violation';
    END IF;"""

_ONCE = """
    SELECT a.entry_id, e.number, m.month INTO broken
    FROM (SELECT entry_id, min(date) AS first, max(date) AS last, count(*) AS brought FROM added GROUP BY 1) a
    LEFT JOIN settlement_entry e ON e.id = a.entry_id AND e.date = a.first AND e.date = a.last
    LEFT JOIN settlement_closedmonth m
        ON m.organisation_id = e.organisation_id AND m.month = date_trunc('month', e.date)::date
    WHERE e.id IS NULL OR m.id IS NOT NULL
       OR a.brought <> (SELECT count(*) FROM settlement_posting p WHERE p.entry_id = a.entry_id) LIMIT 1;
    IF FOUND AND broken.number IS NULL THEN
        RAISE EXCEPTION 'posting without entry % of its day', broken.entry_id USING ERRCODE = 'foreign_key_violation';
    ELSIF FOUND AND broken.month IS NOT NULL THEN
        RAISE EXCEPTION 'a posting of entry % falls into the closed month %', broken.number, broken.month
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_month_open';
    ELSIF FOUND THEN
        RAISE EXCEPTION 'ledger entry % has its postings already', broken.number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'posting_with_entry';
    END IF;"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0026_undone_bank_lines")]

    operations = [migrations.RunSQL(_GUARD.replace("{entries}", _ONCE), _GUARD.replace("{entries}", _BEFORE))]
