"""The database refuses to set aside more than a budget line has."""

from django.db import migrations

# The row lock makes two writers take turns; the sum is read in a later statement, so it sees the first one's rows.
GUARD = """
CREATE FUNCTION budget_entry_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken record;
BEGIN
    PERFORM 1 FROM contracts_budgetline
    WHERE id IN (SELECT budget_line_id FROM added) ORDER BY id FOR UPDATE;
    SELECT l.code, l.year, (l.amount * 100)::bigint - sum(e.amount_minor) AS free INTO broken
    FROM contracts_budgetline l JOIN contracts_budgetentry e ON e.budget_line_id = l.id
    WHERE l.id IN (SELECT budget_line_id FROM added)
    GROUP BY l.id HAVING (l.amount * 100)::bigint < sum(e.amount_minor)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'budget line % of % would be overspent by % minor units', broken.code, broken.year,
            -broken.free USING ERRCODE = 'check_violation', CONSTRAINT = 'budget_line_free';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER budget_entry_guard AFTER INSERT ON contracts_budgetentry
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION budget_entry_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("contracts", "0001_initial")]

    operations = [
        migrations.RunSQL(
            GUARD, "DROP TRIGGER budget_entry_guard ON contracts_budgetentry; DROP FUNCTION budget_entry_guard()"
        ),
    ]
