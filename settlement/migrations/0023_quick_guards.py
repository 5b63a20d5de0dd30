"""A guard that wants the first broken row of a million looks each of them up; one that wants them in order joins once.

The index on the claim of an adjudication existed twice.
"""

from django.db import migrations

GUARD = """
CREATE OR REPLACE FUNCTION adjudication_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken record;
BEGIN
    SELECT a.claim_line_id AS line, a.claim_id AS claim INTO broken FROM added a
    LEFT JOIN settlement_claimline l ON l.id = a.claim_line_id
    LEFT JOIN settlement_claim c ON c.id = a.claim_id
    WHERE l.id IS NULL OR c.id IS NULL OR (l.claim_id <> c.id AND c.reverses_id IS DISTINCT FROM l.claim_id)
       OR (l.claim_id <> c.id) <> (a.reverses_id IS NOT NULL) {order} LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'adjudication of claim line % does not belong to claim %', broken.line, broken.claim
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'adjudication_references';
    END IF;
    SELECT a.run_id AS run INTO broken FROM (SELECT DISTINCT run_id FROM added) a
    WHERE NOT EXISTS (SELECT 1 FROM settlement_adjudicationrun r WHERE r.id = a.run_id) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'adjudication without run %', broken.run USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("settlement", "0022_corrections"),
    ]

    operations = [
        migrations.RunSQL(GUARD.format(order="ORDER BY a.claim_line_id"), GUARD.format(order="")),
        migrations.RemoveIndex(model_name="adjudication", name="adjudication_claim"),
    ]
