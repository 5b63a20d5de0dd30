"""Results of a run come by the hundred thousand: their references are proven set-wise, not row by row."""

import django.db.models.deletion
from django.db import migrations, models

GUARDS = """
CREATE FUNCTION adjudication_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken record;
BEGIN
    SELECT a.claim_line_id AS line, a.claim_id AS claim INTO broken FROM added a
    LEFT JOIN settlement_claimline l ON l.id = a.claim_line_id
    LEFT JOIN settlement_claim c ON c.id = a.claim_id
    WHERE l.id IS NULL OR c.id IS NULL OR (l.claim_id <> c.id AND c.reverses_id IS DISTINCT FROM l.claim_id)
       OR (l.claim_id <> c.id) <> (a.reverses_id IS NOT NULL) LIMIT 1;
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

CREATE TRIGGER adjudication_guard AFTER INSERT ON settlement_adjudication
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION adjudication_guard();

CREATE FUNCTION finding_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken record;
BEGIN
    SELECT a.run_id AS run, a.claim_line_id AS line INTO broken
    FROM (SELECT DISTINCT run_id, claim_line_id FROM added) a
    WHERE NOT EXISTS (SELECT 1 FROM settlement_adjudicationrun r WHERE r.id = a.run_id)
       OR NOT EXISTS (SELECT 1 FROM settlement_claimline l WHERE l.id = a.claim_line_id) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'finding without run % or claim line %', broken.run, broken.line
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER finding_guard AFTER INSERT ON settlement_finding
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION finding_guard();
"""
NO_GUARDS = (
    "DROP TRIGGER adjudication_guard ON settlement_adjudication; DROP FUNCTION adjudication_guard();"
    "DROP TRIGGER finding_guard ON settlement_finding; DROP FUNCTION finding_guard()"
)


class Migration(migrations.Migration):
    dependencies = [
        ("settlement", "0003_adjudication_reversals"),
    ]

    operations = [
        migrations.AlterField(
            model_name="adjudication",
            name="claim",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="adjudications",
                to="settlement.claim",
            ),
        ),
        migrations.AlterField(
            model_name="adjudication",
            name="claim_line",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="adjudications",
                to="settlement.claimline",
            ),
        ),
        migrations.AlterField(
            model_name="adjudication",
            name="reverses",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="settlement.adjudication",
            ),
        ),
        migrations.AlterField(
            model_name="adjudication",
            name="run",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="adjudications",
                to="settlement.adjudicationrun",
            ),
        ),
        migrations.AlterField(
            model_name="finding",
            name="claim_line",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="findings",
                to="settlement.claimline",
            ),
        ),
        migrations.AlterField(
            model_name="finding",
            name="run",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="findings",
                to="settlement.adjudicationrun",
            ),
        ),
        migrations.RunSQL(GUARDS, NO_GUARDS),
    ]
