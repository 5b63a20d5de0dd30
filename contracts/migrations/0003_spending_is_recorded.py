"""A promise beyond the appropriation is refused; services already given are recorded whatever the line has left.

What is owed does not depend on the budget: it is paid only once the line is amended (the payment run refuses).
"""

from django.db import migrations

HEAD = """
CREATE OR REPLACE FUNCTION budget_entry_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken record;
BEGIN
    PERFORM 1 FROM contracts_budgetline
    WHERE id IN (SELECT budget_line_id FROM added) ORDER BY id FOR UPDATE;
    SELECT l.code, l.year, (l.amount * 100)::bigint - sum(e.amount_minor) AS free INTO broken
    FROM contracts_budgetline l JOIN contracts_budgetentry e ON e.budget_line_id = l.id
    WHERE l.id IN (%s)
    GROUP BY l.id HAVING (l.amount * 100)::bigint < sum(e.amount_minor)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'budget line %% of %% would be overspent by %% minor units', broken.code, broken.year,
            -broken.free USING ERRCODE = 'check_violation', CONSTRAINT = 'budget_line_free';
    END IF;
    RETURN NULL;
END $$;
"""

# A promise: the statement sets more aside on the line than it gives back, and not by spending alone.
PROMISES = """
        SELECT budget_line_id FROM added GROUP BY budget_line_id
        HAVING sum(amount_minor) > 0 AND bool_or(kind <> 'spending' AND amount_minor > 0)"""
EVERYTHING = "SELECT budget_line_id FROM added"


class Migration(migrations.Migration):
    dependencies = [("contracts", "0002_budget_guard")]

    operations = [migrations.RunSQL(HEAD % PROMISES, HEAD % EVERYTHING)]
