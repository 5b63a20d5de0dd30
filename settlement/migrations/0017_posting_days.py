"""Postings carry the day of their entry: a balance as of a day reads one table, a statement one index."""

from django.db import migrations, models

# The day of an entry never changes, and the guard below compares it: the copy cannot differ.
_FILL = """
ALTER TABLE settlement_posting DISABLE TRIGGER USER;
UPDATE settlement_posting p SET date = e.date FROM settlement_entry e WHERE e.id = p.entry_id;
ALTER TABLE settlement_posting ENABLE TRIGGER USER;
"""
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
    -- Set-wise instead of two foreign keys: those cost more than all other checks together.
    SELECT a.entry_id INTO broken FROM (SELECT DISTINCT {entry} FROM added) a
    WHERE NOT EXISTS (SELECT 1 FROM settlement_entry e WHERE e.id = a.entry_id{same}) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'posting without entry %{words}', broken.entry_id USING ERRCODE = 'foreign_key_violation';
    END IF;
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


def _guard(entry: str, same: str, words: str) -> str:
    return _GUARD.replace("{entry}", entry).replace("{same}", same).replace("{words}", words)


class Migration(migrations.Migration):
    dependencies = [("settlement", "0016_match_sums")]

    operations = [
        migrations.AddField("posting", "date", models.DateField(null=True)),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
        migrations.AlterField("posting", "date", models.DateField()),
        migrations.RemoveIndex("posting", "posting_account"),
        migrations.AddIndex(
            "posting",
            models.Index(fields=["account", "date", "id"], name="posting_account", include=["debit", "credit"]),
        ),
        migrations.RunSQL(_guard("entry_id, date", " AND e.date = a.date", " of its day"), _guard("entry_id", "", "")),
    ]
