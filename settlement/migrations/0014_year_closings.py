"""Closings of years: an approved one takes no entry dated in its year any more."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

_ENTRIES = """
CREATE OR REPLACE FUNCTION entry_month_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken record;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7466924, organisation_id::int)
    FROM (SELECT DISTINCT organisation_id FROM added ORDER BY 1) o;
    SELECT a.number, m.month INTO broken FROM added a JOIN settlement_closedmonth m
        ON m.organisation_id = a.organisation_id AND m.month = date_trunc('month', a.date)::date LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % falls into the closed month %', broken.number, broken.month
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_month_open';
    END IF;{years}
    RETURN NULL;
END $$;
"""
_YEARS = """
    SELECT a.number, y.year INTO broken FROM added a JOIN settlement_yearclosing y
        ON y.organisation_id = a.organisation_id AND y.year = EXTRACT(year FROM a.date) AND y.status = 'approved' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % falls into the closed year %', broken.number, broken.year
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_year_open';
    END IF;"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_access_tokens'),
        ('contracts', '0008_closed_budget_lines'),
        ('settlement', '0013_payment_holds'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='YearClosing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=16)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('year', models.PositiveSmallIntegerField()),
                ('plan', models.JSONField()),
                ('content_sha256', models.CharField(max_length=64)),
                ('proposed_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'closing of a year',
            },
        ),
        migrations.AlterField(
            model_name='account',
            name='kind',
            field=models.CharField(choices=[('expense', 'expense'), ('payable', 'payable to providers'), ('fee', "recipients' fees"), ('clearing', 'payments on the way'), ('bank', 'bank'), ('suspense', 'unexplained receipts'), ('funding', 'budget funding'), ('receivable', 'fees to come from recipients'), ('held', 'fees held for providers'), ('card', 'balance of card payments'), ('result', 'results of closed years')], max_length=12),
        ),
        migrations.AddField(
            model_name='yearclosing',
            name='approved_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='yearclosing',
            name='organisation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation'),
        ),
        migrations.AddField(
            model_name='yearclosing',
            name='proposed_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='yearclosing',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ['proposed', 'approved'])), fields=('organisation', 'year'), name='year_closing_once'),
        ),
        migrations.AddConstraint(
            model_name='yearclosing',
            constraint=models.CheckConstraint(condition=models.Q(('proposed_by', models.F('approved_by')), _negated=True), name='year_closing_four_eyes'),
        ),
        migrations.AddConstraint(
            model_name='yearclosing',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'approved'), _negated=True), ('approved_by__isnull', False), _connector='OR'), name='year_closing_signed'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='yearclosing',
            trigger=pgtrigger.compiler.Trigger(name='year_closing_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{proposed:approved,proposed:cancelled}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='96deb8a801bc21cff7df90a87b081a0f22894828', operation='UPDATE', pgid='pgtrigger_year_closing_moves_4edc8', table='settlement_yearclosing', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='yearclosing',
            trigger=pgtrigger.compiler.Trigger(name='year_closing_birth', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'proposed\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='ca8b622381841b36c635a6f35d910233e5b381bc', operation='INSERT', pgid='pgtrigger_year_closing_birth_be417', table='settlement_yearclosing', when='BEFORE')),
        ),
        migrations.RunSQL(_ENTRIES.replace("{years}", _YEARS), _ENTRIES.replace("{years}", "")),
    ]
