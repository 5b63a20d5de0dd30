"""The database refuses a certificate movement that leaves a balance below zero."""

from django.db import migrations

GUARD = """
CREATE FUNCTION certificate_entry_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken record;
BEGIN
    PERFORM 1 FROM vouchers_certificateline
    WHERE id IN (SELECT certificate_line_id FROM added) ORDER BY id FOR UPDATE;
    SELECT certificate_line_id AS line, sum(units_milli) AS balance INTO broken
    FROM vouchers_certificateentry
    WHERE certificate_line_id IN (SELECT certificate_line_id FROM added)
    GROUP BY certificate_line_id HAVING sum(units_milli) < 0
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'certificate line % would be overdrawn by % thousandths', broken.line, -broken.balance
            USING ERRCODE = 'check_violation', CONSTRAINT = 'certificate_line_balance';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER certificate_entry_guard AFTER INSERT ON vouchers_certificateentry
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION certificate_entry_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("vouchers", "0001_initial")]

    operations = [
        migrations.RunSQL(
            GUARD,
            "DROP TRIGGER certificate_entry_guard ON vouchers_certificateentry; "
            "DROP FUNCTION certificate_entry_guard()",
        ),
    ]
