import config.fields
import django.db.models.deletion
import djmoney.models.fields
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('accounts', '__first__'),
        ('contracts', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Criterion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=32)),
                ('title', models.CharField(max_length=255)),
                ('kind', models.CharField(choices=[('scored', 'scored'), ('price', 'price'), ('volume', 'volume')], max_length=8)),
                ('weight', models.DecimalField(decimal_places=2, max_digits=6)),
                ('scale_max', models.PositiveSmallIntegerField(default=5)),
                ('must', models.BooleanField(default=False)),
                ('position', models.PositiveSmallIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='Bid',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=16)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('number', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('sealed', config.fields.EncryptedTextField(blank=True, default='')),
                ('sealed_sha256', models.CharField(blank=True, max_length=64)),
                ('submitted_at', models.DateTimeField(blank=True, null=True)),
                ('unit_price', models.DecimalField(blank=True, decimal_places=4, max_digits=14, null=True)),
                ('recipients_offered', models.PositiveIntegerField(blank=True, null=True)),
                ('rejection_code', models.CharField(blank=True, max_length=16)),
                ('rejection_reason', models.TextField(blank=True)),
                ('project_title', models.CharField(blank=True, max_length=400)),
                ('summary', models.TextField(blank=True)),
                ('duration_months', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('unit_multiplier', models.PositiveIntegerField(default=1)),
                ('declared_total_currency', djmoney.models.fields.CurrencyField(choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], default='UAH', editable=False, max_length=3, null=True)),
                ('declared_total', djmoney.models.fields.MoneyField(blank=True, currency_choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], decimal_places=2, max_digits=16, null=True)),
                ('grant_requested_currency', djmoney.models.fields.CurrencyField(choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], default='UAH', editable=False, max_length=3, null=True)),
                ('grant_requested', djmoney.models.fields.MoneyField(blank=True, currency_choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], decimal_places=2, max_digits=16, null=True)),
                ('activity_numbers', models.JSONField(default=list)),
                ('earmarks', models.JSONField(default=list)),
                ('corrects', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='procurement.bid')),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bids', to='contracts.provider')),
                ('submitted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'bid',
            },
        ),
        migrations.CreateModel(
            name='BidFinding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('code', models.CharField(max_length=40)),
                ('severity', models.CharField(choices=[('block', 'blocks'), ('warn', 'warns')], max_length=8)),
                ('text', models.CharField(max_length=400)),
                ('params', models.JSONField(default=dict)),
                ('recorded_at', models.DateTimeField()),
                ('bid', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='findings', to='procurement.bid')),
            ],
        ),
        migrations.CreateModel(
            name='BidResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('total', models.DecimalField(decimal_places=2, max_digits=6)),
                ('rank', models.PositiveSmallIntegerField()),
                ('parts', models.JSONField(default=dict)),
                ('steps', models.JSONField(default=list)),
                ('formula_id', models.CharField(max_length=32)),
                ('bid', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='result', to='procurement.bid')),
            ],
        ),
        migrations.CreateModel(
            name='CommissionMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('chair', 'chair'), ('member', 'member'), ('secretary', 'secretary')], default='member', max_length=12)),
                ('conflict', models.BooleanField(blank=True, null=True)),
                ('declared_at', models.DateTimeField(blank=True, null=True)),
                ('statement', models.TextField(blank=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='ProcurementPlan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('year', models.PositiveSmallIntegerField()),
                ('population_urban', models.PositiveIntegerField(default=0)),
                ('population_rural', models.PositiveIntegerField(default=0)),
                ('staffing', models.JSONField(default=dict)),
                ('rationale', models.TextField(blank=True)),
                ('approved_at', models.DateTimeField(blank=True, null=True)),
                ('approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
            ],
            options={
                'verbose_name': 'plan of needs',
                'constraints': [models.UniqueConstraint(fields=('organisation', 'year'), name='procurement_plan_once')],
            },
        ),
        migrations.CreateModel(
            name='PlanItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('title', models.CharField(max_length=255)),
                ('way', models.CharField(choices=[('social_order', 'social order'), ('project_contest', 'project contest'), ('own_provider', 'own provider'), ('register', 'any provider of the register')], max_length=16)),
                ('recipients_planned', models.PositiveIntegerField(default=0)),
                ('units_planned', models.DecimalField(decimal_places=3, default=0, max_digits=16)),
                ('value_currency', djmoney.models.fields.CurrencyField(choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], default='UAH', editable=False, max_length=3)),
                ('value', djmoney.models.fields.MoneyField(currency_choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], decimal_places=2, max_digits=16)),
                ('budget_line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='plan_items', to='contracts.budgetline')),
                ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='contracts.service')),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='procurement.procurementplan')),
            ],
            options={
                'verbose_name': 'planned need',
                'constraints': [models.UniqueConstraint(fields=('plan', 'number'), name='plan_item_once')],
            },
        ),
        migrations.CreateModel(
            name='ProjectBudgetItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('name', models.CharField(max_length=400)),
                ('amount_currency', djmoney.models.fields.CurrencyField(choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], default='UAH', editable=False, max_length=3)),
                ('amount', djmoney.models.fields.MoneyField(currency_choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], decimal_places=2, max_digits=16)),
                ('from_grant_currency', djmoney.models.fields.CurrencyField(choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], default='UAH', editable=False, max_length=3, null=True)),
                ('from_grant', djmoney.models.fields.MoneyField(blank=True, currency_choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], decimal_places=2, max_digits=16, null=True)),
                ('bid', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='procurement.bid')),
            ],
        ),
        migrations.CreateModel(
            name='ProjectBudgetSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('kind', models.CharField(choices=[('grant', 'grant'), ('own', 'own funds'), ('partner', 'partners'), ('attracted', 'attracted funds')], max_length=12)),
                ('name', models.CharField(max_length=255)),
                ('amount_currency', djmoney.models.fields.CurrencyField(choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], default='UAH', editable=False, max_length=3)),
                ('amount', djmoney.models.fields.MoneyField(currency_choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], decimal_places=2, max_digits=16)),
                ('declared_share', models.DecimalField(blank=True, decimal_places=2, max_digits=6, null=True)),
                ('bid', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sources', to='procurement.bid')),
            ],
        ),
        migrations.CreateModel(
            name='ProjectKpi',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('code', models.CharField(max_length=32)),
                ('name', models.CharField(max_length=255)),
                ('baseline', models.DecimalField(decimal_places=2, max_digits=16)),
                ('target', models.DecimalField(decimal_places=2, max_digits=16)),
                ('actual', models.DecimalField(blank=True, decimal_places=2, max_digits=16, null=True)),
                ('bid', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='kpis', to='procurement.bid')),
            ],
        ),
        migrations.CreateModel(
            name='ProjectStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('month_from', models.PositiveSmallIntegerField()),
                ('month_to', models.PositiveSmallIntegerField()),
                ('description', models.TextField()),
                ('executors', models.TextField(blank=True)),
                ('bid', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='work_plan', to='procurement.bid')),
            ],
        ),
        migrations.CreateModel(
            name='Score',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveSmallIntegerField(default=1)),
                ('value', models.DecimalField(decimal_places=2, max_digits=6)),
                ('reason', models.TextField(blank=True)),
                ('locked_at', models.DateTimeField(blank=True, null=True)),
                ('bid', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='scores', to='procurement.bid')),
                ('criterion', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='procurement.criterion')),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='scores', to='procurement.commissionmember')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('member', 'bid', 'criterion', 'version'), name='score_once'), models.CheckConstraint(condition=models.Q(('value__gte', 0)), name='score_not_negative')],
            },
        ),
        migrations.CreateModel(
            name='Tender',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=16)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('number', models.CharField(max_length=64)),
                ('ocid', models.CharField(blank=True, max_length=64)),
                ('kind', models.CharField(choices=[('social_order', 'social order'), ('project_contest', 'project contest')], max_length=16)),
                ('title', models.CharField(max_length=255)),
                ('description', models.TextField(blank=True)),
                ('value_currency', djmoney.models.fields.CurrencyField(choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], default='UAH', editable=False, max_length=3)),
                ('value', djmoney.models.fields.MoneyField(currency_choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], decimal_places=2, max_digits=16)),
                ('units_planned', models.DecimalField(blank=True, decimal_places=3, max_digits=16, null=True)),
                ('contract_from', models.DateField(blank=True, null=True)),
                ('contract_to', models.DateField(blank=True, null=True)),
                ('threshold', models.DecimalField(blank=True, decimal_places=2, max_digits=6, null=True)),
                ('required_documents', models.JSONField(default=list)),
                ('settings', models.JSONField(default=dict)),
                ('published_at', models.DateTimeField(blank=True, null=True)),
                ('bids_close_at', models.DateTimeField(blank=True, null=True)),
                ('opened_at', models.DateTimeField(blank=True, null=True)),
                ('evaluated_at', models.DateTimeField(blank=True, null=True)),
                ('approver', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tenders_approved', to=settings.AUTH_USER_MODEL)),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tenders_written', to=settings.AUTH_USER_MODEL)),
                ('budget_line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tenders', to='contracts.budgetline')),
                ('norm_cost', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='contracts.normcost')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
                ('plan_item', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='procurement.planitem')),
                ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='contracts.service')),
            ],
            options={
                'verbose_name': 'competition',
                'constraints': [models.UniqueConstraint(fields=('organisation', 'number'), name='tender_once'), models.CheckConstraint(condition=models.Q(('approver__isnull', True), models.Q(('author', models.F('approver')), _negated=True), _connector='OR'), name='tender_four_eyes'), models.CheckConstraint(condition=models.Q(('opened_at__isnull', True), ('opened_at__gte', models.F('bids_close_at')), _connector='OR'), name='tender_opened_after_close')],
            },
        ),
        migrations.CreateModel(
            name='Complaint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=16)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('text', models.TextField()),
                ('submitted_at', models.DateTimeField()),
                ('answer', models.TextField(blank=True)),
                ('answered_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='contracts.provider')),
                ('submitted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tender', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='complaints', to='procurement.tender')),
            ],
            options={
                'verbose_name': 'complaint',
            },
        ),
        migrations.CreateModel(
            name='Award',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=16)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('number', models.CharField(max_length=64)),
                ('decided_at', models.DateTimeField()),
                ('standstill_until', models.DateTimeField()),
                ('reason', models.TextField(blank=True)),
                ('contract', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='award', to='contracts.contract')),
                ('decided_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('bid', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='award', to='procurement.bid')),
                ('tender', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='awards', to='procurement.tender')),
            ],
            options={
                'verbose_name': 'award',
            },
        ),
        migrations.CreateModel(
            name='BidDocument',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=64)),
                ('title', models.CharField(max_length=255)),
                ('present', models.BooleanField(default=False)),
                ('attachment_sha256', models.CharField(blank=True, max_length=64)),
                ('bid', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='documents', to='procurement.bid')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('bid', 'code'), name='bid_document_once')],
            },
        ),
        migrations.AddField(
            model_name='criterion',
            name='tender',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='criteria', to='procurement.tender'),
        ),
        migrations.AddField(
            model_name='commissionmember',
            name='tender',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='commission', to='procurement.tender'),
        ),
        migrations.AddField(
            model_name='bid',
            name='tender',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bids', to='procurement.tender'),
        ),
        migrations.AddConstraint(
            model_name='criterion',
            constraint=models.UniqueConstraint(fields=('tender', 'code'), name='criterion_once'),
        ),
        migrations.AddConstraint(
            model_name='commissionmember',
            constraint=models.UniqueConstraint(fields=('tender', 'user'), name='commission_member_once'),
        ),
        migrations.AddConstraint(
            model_name='bid',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ['submitted', 'opened', 'valid'])), fields=('tender', 'provider'), name='bid_once'),
        ),
        migrations.AddConstraint(
            model_name='bid',
            constraint=models.UniqueConstraint(fields=('tender', 'number'), name='bid_number_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='tender',
            trigger=pgtrigger.compiler.Trigger(name='tender_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{active:cancelled,active:complete,active:unsuccessful,active:withdrawn,planned:active,planned:cancelled,planned:withdrawn,planning:cancelled,planning:planned,planning:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='8db20216e8cac9bc0e7dde8e45045789025a2408', operation='UPDATE', pgid='pgtrigger_tender_moves_1d177', table='procurement_tender', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='tender',
            trigger=pgtrigger.compiler.Trigger(name='tender_birth', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'planning\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='fa66f2cd7c691097092d80d26b1076a17f2c5def', operation='INSERT', pgid='pgtrigger_tender_birth_7193d', table='procurement_tender', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='complaint',
            trigger=pgtrigger.compiler.Trigger(name='complaint_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{submitted:declined,submitted:satisfied,submitted:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='6f6b0fb8288d551c5ef5fafbea4e96409996f8f1', operation='UPDATE', pgid='pgtrigger_complaint_moves_27eac', table='procurement_complaint', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='complaint',
            trigger=pgtrigger.compiler.Trigger(name='complaint_birth', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'submitted\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='71608b3c08b4530abd1fd3a6e406a4396c156c0c', operation='INSERT', pgid='pgtrigger_complaint_birth_b9366', table='procurement_complaint', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bid',
            trigger=pgtrigger.compiler.Trigger(name='bid_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{draft:submitted,draft:withdrawn,opened:rejected,opened:valid,submitted:opened,submitted:rejected,submitted:withdrawn,valid:rejected}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='5e76ddf67239a6ff4120c1aebc85ab06b4f610c5', operation='UPDATE', pgid='pgtrigger_bid_moves_55d76', table='procurement_bid', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='bid',
            trigger=pgtrigger.compiler.Trigger(name='bid_birth', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'draft\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='569416e0ec7678483d54aa1b87fe4d4ec840ca07', operation='INSERT', pgid='pgtrigger_bid_birth_f560a', table='procurement_bid', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='award',
            trigger=pgtrigger.compiler.Trigger(name='award_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{active:cancelled,pending:active,pending:cancelled,pending:unsuccessful}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='cf85140f6c88e4d666cdac4f0a38ac9f2239a210', operation='UPDATE', pgid='pgtrigger_award_moves_019a9', table='procurement_award', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='award',
            trigger=pgtrigger.compiler.Trigger(name='award_birth', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'pending\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='307db0097143735ec08c0b5433f81a00f87499a8', operation='INSERT', pgid='pgtrigger_award_birth_fe26c', table='procurement_award', when='BEFORE')),
        ),
    ]
