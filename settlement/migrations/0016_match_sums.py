"""What the database keeps of matches: no line and no payment beyond its amount, whoever writes and how many at once."""

from django.db import migrations

# Writers about the same payment or line wait for each other; the sums are read after the wait. An undone match and
# the row that undoes it cancel out, so that the sum of all rows is what holds.
SUMS = """
CREATE FUNCTION match_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken record;
BEGIN
    PERFORM 1 FROM settlement_payment WHERE id IN (SELECT payment_id FROM added) ORDER BY id FOR NO KEY UPDATE;
    PERFORM 1 FROM settlement_statementline WHERE id IN (SELECT statement_line_id FROM added)
        ORDER BY id FOR NO KEY UPDATE;
    SELECT y.reference, m.kind INTO broken
    FROM (SELECT DISTINCT payment_id, kind FROM added) a
    JOIN settlement_payment y ON y.id = a.payment_id
    JOIN LATERAL (SELECT a.kind, sum(x.amount_minor) AS matched FROM settlement_match x
                  WHERE x.payment_id = a.payment_id AND x.kind = a.kind) m ON true
    WHERE CASE a.kind WHEN 'return' THEN m.matched NOT IN (0, y.amount * 100)
          ELSE m.matched NOT BETWEEN -y.amount * 100 AND 0 END LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'payment % is matched beyond its amount (%)', broken.reference, broken.kind
            USING ERRCODE = 'check_violation', CONSTRAINT = 'match_once';
    END IF;
    SELECT l.id INTO broken
    FROM (SELECT DISTINCT statement_line_id AS id FROM added) a
    JOIN settlement_statementline l ON l.id = a.id
    JOIN LATERAL (SELECT sum(x.amount_minor) AS matched FROM settlement_match x
                  WHERE x.statement_line_id = a.id) m ON true
    WHERE m.matched NOT BETWEEN LEAST(l.amount_minor, 0) AND GREATEST(l.amount_minor, 0)
       OR m.matched <> 0 AND EXISTS (SELECT 1 FROM settlement_feereceipt f WHERE f.statement_line_id = a.id)
       OR m.matched <> 0 AND EXISTS (SELECT 1 FROM settlement_feerefund f WHERE f.statement_line_id = a.id) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'bank line % is matched beyond its amount', broken.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'match_once';
    END IF;
    SELECT a.id INTO broken FROM added a JOIN settlement_match o ON o.id = a.undoes_id
    WHERE a.amount_minor <> -o.amount_minor OR a.payment_id <> o.payment_id OR a.kind <> o.kind
       OR a.statement_line_id <> o.statement_line_id OR o.undoes_id IS NOT NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'match % does not undo the one that it names', broken.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'match_undone';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER match_guard AFTER INSERT ON settlement_match
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION match_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0015_bank_matching")]

    operations = [
        migrations.RunSQL(SUMS, "DROP TRIGGER match_guard ON settlement_match; DROP FUNCTION match_guard()"),
    ]
