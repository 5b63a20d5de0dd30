"""Lines of closed years: nothing is set aside or spent on them any more, and their appropriation stands."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

# The row lock makes a writer and the closing take turns; the closing is read in a later statement.
_HEAD = """
CREATE OR REPLACE FUNCTION budget_entry_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken record;
BEGIN
    PERFORM 1 FROM contracts_budgetline
    WHERE id IN (SELECT budget_line_id FROM added) ORDER BY id FOR UPDATE;
    %s
    SELECT l.code, l.year, (l.amount * 100)::bigint - sum(e.amount_minor) AS free INTO broken
    FROM contracts_budgetline l JOIN contracts_budgetentry e ON e.budget_line_id = l.id
    WHERE l.id IN (
        SELECT budget_line_id FROM added GROUP BY budget_line_id
        HAVING sum(amount_minor) > 0 AND bool_or(kind <> 'spending' AND amount_minor > 0))
    GROUP BY l.id HAVING (l.amount * 100)::bigint < sum(e.amount_minor)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'budget line %% of %% would be overspent by %% minor units', broken.code, broken.year,
            -broken.free USING ERRCODE = 'check_violation', CONSTRAINT = 'budget_line_free';
    END IF;
    RETURN NULL;
END $$;
"""
_CLOSED = """
    SELECT l.code, l.year INTO broken FROM contracts_closedbudgetline c JOIN contracts_budgetline l
        ON l.id = c.budget_line_id WHERE l.id IN (SELECT budget_line_id FROM added) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'budget line % of % is closed', broken.code, broken.year
            USING ERRCODE = 'check_violation', CONSTRAINT = 'budget_line_open';
    END IF;
"""
_AMOUNT = """
CREATE FUNCTION budget_line_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM contracts_closedbudgetline WHERE budget_line_id = OLD.id) THEN
        RAISE EXCEPTION 'budget line % of % is closed', OLD.code, OLD.year
            USING ERRCODE = 'check_violation', CONSTRAINT = 'budget_line_open';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER budget_line_guard BEFORE UPDATE OF amount, amount_currency, code, year, organisation_id
ON contracts_budgetline FOR EACH ROW EXECUTE FUNCTION budget_line_guard();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('contracts', '0007_facts_of_checks'),
    ]

    operations = [
        migrations.CreateModel(
            name='ClosedBudgetLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('unspent_minor', models.BigIntegerField()),
                ('closed_at', models.DateTimeField()),
                ('budget_line', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='closing', to='contracts.budgetline')),
                ('successor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='predecessors', to='contracts.budgetline')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('budget_line', models.F('successor')), _negated=True), name='closed_budget_line_successor'), models.CheckConstraint(condition=models.Q(('unspent_minor__gte', 0)), name='closed_budget_line_unspent')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='closedbudgetline',
            trigger=pgtrigger.compiler.Trigger(name='closed_budget_line_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='6ad13dc2f4f79c974343fa1a7ba3c17d1e1c6899', operation='UPDATE OR DELETE', pgid='pgtrigger_closed_budget_line_append_only_2a516', table='contracts_closedbudgetline', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='closedbudgetline',
            trigger=pgtrigger.compiler.Trigger(name='closed_budget_line_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'history is append-only: % cannot be truncated', TG_TABLE_NAME;", hash='dc7fb9ddd7f75362bc1052606a83c2661f86dc90', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_closed_budget_line_no_truncate_f58b6', table='contracts_closedbudgetline', when='BEFORE')),
        ),
        migrations.RunSQL(_HEAD % _CLOSED, _HEAD % ""),
        migrations.RunSQL(
            _AMOUNT, "DROP TRIGGER budget_line_guard ON contracts_budgetline; DROP FUNCTION budget_line_guard()"
        ),
    ]
