"""The guard of adjudications looks at the rows of a statement once, for their lines, claims and runs together."""

# ruff: noqa: S608  The functions are put together from texts of this file.

from django.db import migrations

HEAD = """
CREATE OR REPLACE FUNCTION adjudication_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken record;
BEGIN
"""
LINES = """
    IF FOUND THEN
        RAISE EXCEPTION 'adjudication of claim line % does not belong to claim %', broken.line, broken.claim
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'adjudication_references';
    END IF;
"""
TAIL = """
    RETURN NULL;
END $$;
"""
ONCE = f"""{HEAD}
    SELECT a.claim_line_id AS line, a.claim_id AS claim, a.run_id AS run, r.id AS known INTO broken FROM added a
    LEFT JOIN settlement_claimline l ON l.id = a.claim_line_id
    LEFT JOIN settlement_claim c ON c.id = a.claim_id
    LEFT JOIN settlement_adjudicationrun r ON r.id = a.run_id
    WHERE l.id IS NULL OR c.id IS NULL OR r.id IS NULL
       OR (l.claim_id <> c.id AND c.reverses_id IS DISTINCT FROM l.claim_id)
       OR (l.claim_id <> c.id) <> (a.reverses_id IS NOT NULL) ORDER BY a.claim_line_id LIMIT 1;
    IF FOUND AND broken.known IS NULL THEN
        RAISE EXCEPTION 'adjudication without run %', broken.run USING ERRCODE = 'foreign_key_violation';
    END IF;
{LINES}{TAIL}"""
TWICE = f"""{HEAD}
    SELECT a.claim_line_id AS line, a.claim_id AS claim INTO broken FROM added a
    LEFT JOIN settlement_claimline l ON l.id = a.claim_line_id
    LEFT JOIN settlement_claim c ON c.id = a.claim_id
    WHERE l.id IS NULL OR c.id IS NULL OR (l.claim_id <> c.id AND c.reverses_id IS DISTINCT FROM l.claim_id)
       OR (l.claim_id <> c.id) <> (a.reverses_id IS NOT NULL) ORDER BY a.claim_line_id LIMIT 1;
{LINES}
    SELECT a.run_id AS run INTO broken FROM (SELECT DISTINCT run_id FROM added) a
    WHERE NOT EXISTS (SELECT 1 FROM settlement_adjudicationrun r WHERE r.id = a.run_id) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'adjudication without run %', broken.run USING ERRCODE = 'foreign_key_violation';
    END IF;
{TAIL}"""


class Migration(migrations.Migration):
    dependencies = [
        ("settlement", "0030_undone_clearing"),
    ]

    operations = [migrations.RunSQL(ONCE, TWICE)]
