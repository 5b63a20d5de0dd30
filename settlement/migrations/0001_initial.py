import django.db.models.deletion
import django.db.models.expressions
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
        ('vouchers', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=140)),
                ('kind', models.CharField(choices=[('expense', 'expense'), ('payable', 'payable to providers'), ('fee', "recipients' fees"), ('clearing', 'payments on the way'), ('bank', 'bank'), ('suspense', 'unexplained receipts'), ('funding', 'budget funding')], max_length=12)),
                ('currency', models.CharField(max_length=3)),
                ('budget_line', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='contracts.budgetline')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
                ('provider', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='contracts.provider')),
            ],
            options={
                'verbose_name': 'account',
                'constraints': [models.UniqueConstraint(fields=('organisation', 'code'), name='account_once')],
            },
        ),
        migrations.CreateModel(
            name='AdjudicationRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=16)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('period', models.DateField()),
                ('number', models.PositiveIntegerField()),
                ('as_of', models.DateField()),
                ('recorded_at', models.DateTimeField()),
                ('lines', models.PositiveIntegerField(default=0)),
                ('amount_claimed_minor', models.BigIntegerField(default=0)),
                ('gross_minor', models.BigIntegerField(default=0)),
                ('fee_minor', models.BigIntegerField(default=0)),
                ('payable_minor', models.BigIntegerField(default=0)),
                ('digest', models.CharField(blank=True, max_length=64)),
                ('parameters', models.JSONField(default=list)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
                ('started_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'adjudication run',
                'constraints': [models.UniqueConstraint(fields=('organisation', 'period', 'number'), name='adjudication_run_once'), models.CheckConstraint(condition=models.Q(('period__day', 1)), name='adjudication_run_month')],
            },
        ),
        migrations.CreateModel(
            name='Claim',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=16)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('number', models.CharField(max_length=64)),
                ('contract_number', models.CharField(blank=True, max_length=64)),
                ('period', models.DateField()),
                ('submitted_at', models.DateTimeField(blank=True, null=True)),
                ('run', models.PositiveIntegerField(blank=True, null=True)),
                ('recorded_at', models.DateTimeField()),
                ('contract', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='claims', to='contracts.contract')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='claims', to='contracts.provider')),
                ('reverses', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversals', to='settlement.claim')),
                ('submitted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'claim',
                'indexes': [models.Index(fields=['organisation', 'period', 'status'], name='claim_period')],
                'constraints': [models.UniqueConstraint(fields=('organisation', 'number'), name='claim_once'), models.CheckConstraint(condition=models.Q(('period__day', 1)), name='claim_period_month')],
            },
        ),
        migrations.CreateModel(
            name='ClaimLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('line', models.PositiveIntegerField()),
                ('redemption_code', models.CharField(blank=True, max_length=64)),
                ('certificate_number', models.CharField(blank=True, max_length=64)),
                ('service_code', models.CharField(blank=True, max_length=64)),
                ('service_date', models.DateField()),
                ('starts_at', models.DateTimeField(blank=True, null=True)),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('worker_code', models.CharField(blank=True, max_length=64)),
                ('units_milli', models.BigIntegerField()),
                ('unit_rate_e4', models.BigIntegerField()),
                ('amount_e4', models.BigIntegerField()),
                ('certificate', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='vouchers.certificate')),
                ('claim', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='settlement.claim')),
                ('redemption', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='vouchers.redemption')),
                ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='contracts.service')),
                ('worker', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='contracts.worker')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('claim', 'line'), name='claim_line_once'), models.CheckConstraint(condition=models.Q(('unit_rate_e4__gt', 0), ('units_milli__gt', 0)), name='claim_line_positive')],
            },
        ),
        migrations.CreateModel(
            name='Adjudication',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('units_claimed', models.BigIntegerField()),
                ('units_allowed', models.BigIntegerField()),
                ('rate_claimed', models.BigIntegerField()),
                ('rate_allowed', models.BigIntegerField()),
                ('amount_claimed', models.BigIntegerField()),
                ('gross', models.BigIntegerField()),
                ('fee', models.BigIntegerField()),
                ('payable', models.BigIntegerField()),
                ('outcome', models.CharField(choices=[('accepted', 'accepted'), ('reduced', 'reduced'), ('rejected', 'rejected'), ('pended', 'waiting for a person')], max_length=8)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='adjudications', to='settlement.adjudicationrun')),
                ('claim', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='adjudications', to='settlement.claim')),
                ('claim_line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='adjudications', to='settlement.claimline')),
            ],
            options={
                'indexes': [models.Index(fields=['claim'], name='adjudication_claim')],
                'constraints': [models.UniqueConstraint(fields=('run', 'claim', 'claim_line'), name='adjudication_once'), models.CheckConstraint(condition=models.Q(('payable', django.db.models.expressions.CombinedExpression(models.F('gross'), '-', models.F('fee')))), name='adjudication_payable')],
            },
        ),
        migrations.CreateModel(
            name='Clearance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run', models.PositiveIntegerField()),
                ('check_code', models.CharField(max_length=8)),
                ('decided_by', models.CharField(max_length=150)),
                ('reason', models.CharField(blank=True, max_length=400)),
                ('recorded_at', models.DateTimeField()),
                ('claim_line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='clearances', to='settlement.claimline')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('run', 'claim_line', 'check_code'), name='clearance_once')],
            },
        ),
        migrations.CreateModel(
            name='ClosedMonth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField()),
                ('closed_at', models.DateTimeField()),
                ('checks', models.JSONField(default=list)),
                ('closed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organisation', 'month'), name='closed_month_once'), models.CheckConstraint(condition=models.Q(('month__day', 1)), name='closed_month_first_day')],
            },
        ),
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=64)),
                ('date', models.DateField()),
                ('event', models.CharField(max_length=40)),
                ('label', models.CharField(max_length=80)),
                ('key', models.CharField(max_length=160)),
                ('recorded_at', models.DateTimeField()),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
                ('recorded_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('reverses', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='settlement.entry')),
            ],
            options={
                'verbose_name': 'ledger entry',
                'indexes': [models.Index(fields=['label'], name='entry_label')],
                'constraints': [models.UniqueConstraint(fields=('organisation', 'key'), name='entry_key_once'), models.UniqueConstraint(fields=('organisation', 'number'), name='entry_number_once')],
            },
        ),
        migrations.CreateModel(
            name='Finding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('check_code', models.CharField(max_length=8)),
                ('severity', models.CharField(choices=[('R', 'rejects'), ('P', 'asks a person'), ('C', 'cuts'), ('W', 'warns')], max_length=1)),
                ('units', models.BigIntegerField(default=0)),
                ('amount', models.BigIntegerField(default=0)),
                ('detail', models.JSONField(default=dict)),
                ('claim_line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='findings', to='settlement.claimline')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='findings', to='settlement.adjudicationrun')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('run', 'claim_line', 'check_code'), name='finding_once')],
            },
        ),
        migrations.CreateModel(
            name='PaymentRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=16)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('number', models.CharField(max_length=64)),
                ('period', models.DateField()),
                ('proposed_at', models.DateTimeField()),
                ('execution_date', models.DateField(blank=True, null=True)),
                ('approvals_needed', models.PositiveSmallIntegerField(default=1)),
                ('total_currency', djmoney.models.fields.CurrencyField(choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], default='UAH', editable=False, max_length=3)),
                ('total', djmoney.models.fields.MoneyField(currency_choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], decimal_places=2, max_digits=16)),
                ('content_sha256', models.CharField(max_length=64)),
                ('message_id', models.CharField(blank=True, max_length=35)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
                ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payment_runs_proposed', to=settings.AUTH_USER_MODEL)),
                ('released_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='payment_runs_released', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'payment run',
                'constraints': [models.UniqueConstraint(fields=('organisation', 'number'), name='payment_run_once')],
            },
        ),
        migrations.CreateModel(
            name='Payment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=16)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('reference', models.CharField(max_length=35)),
                ('rf_reference', models.CharField(blank=True, max_length=25)),
                ('iban', models.CharField(max_length=34)),
                ('amount_currency', djmoney.models.fields.CurrencyField(choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], default='UAH', editable=False, max_length=3)),
                ('amount', djmoney.models.fields.MoneyField(currency_choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], decimal_places=2, max_digits=16)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('confirmed_at', models.DateTimeField(blank=True, null=True)),
                ('gateway', models.CharField(default='bank_file', max_length=16)),
                ('gateway_reference', models.CharField(blank=True, max_length=64)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payments', to='contracts.provider')),
                ('payment_run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payments', to='settlement.paymentrun')),
            ],
            options={
                'verbose_name': 'payment',
                'constraints': [models.UniqueConstraint(fields=('organisation', 'reference'), name='payment_once'), models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='payment_positive')],
            },
        ),
        migrations.CreateModel(
            name='PaymentRunApproval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('approved_at', models.DateTimeField()),
                ('content_sha256', models.CharField(max_length=64)),
                ('approved_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('payment_run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='approvals', to='settlement.paymentrun')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('payment_run', 'approved_by'), name='payment_run_approval_once')],
            },
        ),
        migrations.CreateModel(
            name='Posting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('debit', models.BigIntegerField(default=0)),
                ('credit', models.BigIntegerField(default=0)),
                ('currency', models.CharField(max_length=3)),
                ('claim_id', models.BigIntegerField(null=True)),
                ('payment_id', models.BigIntegerField(null=True)),
                ('account', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='settlement.account')),
                ('entry', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='postings', to='settlement.entry')),
            ],
            options={
                'indexes': [models.Index(fields=['account'], include=('debit', 'credit'), name='posting_account'), models.Index(condition=models.Q(('claim_id__isnull', False)), fields=['claim_id'], name='posting_claim'), models.Index(condition=models.Q(('payment_id__isnull', False)), fields=['payment_id'], name='posting_payment')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('credit', 0), ('debit__gt', 0)), models.Q(('credit__gt', 0), ('debit', 0)), _connector='OR'), name='posting_one_side')],
            },
        ),
        migrations.CreateModel(
            name='Remittance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount_claimed', models.BigIntegerField()),
                ('reductions', models.BigIntegerField()),
                ('pended', models.BigIntegerField()),
                ('gross', models.BigIntegerField()),
                ('fee', models.BigIntegerField()),
                ('offsets', models.BigIntegerField(default=0)),
                ('payable', models.BigIntegerField()),
                ('claim', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='remittances', to='settlement.claim')),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='remittances', to='contracts.provider')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='remittances', to='settlement.adjudicationrun')),
            ],
            options={
                'verbose_name': 'remittance',
                'constraints': [models.UniqueConstraint(fields=('run', 'claim'), name='remittance_once'), models.CheckConstraint(condition=models.Q(('amount_claimed', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('reductions'), '+', models.F('pended')), '+', models.F('gross'))), ('payable', django.db.models.expressions.CombinedExpression(django.db.models.expressions.CombinedExpression(models.F('gross'), '-', models.F('fee')), '-', models.F('offsets')))), name='remittance_identity')],
            },
        ),
        migrations.CreateModel(
            name='PaymentRemittance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('live', models.BooleanField(default=True)),
                ('payment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='items', to='settlement.payment')),
                ('payment_run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='settlement.paymentrun')),
                ('remittance', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payment_items', to='settlement.remittance')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('live', True)), fields=('remittance',), name='remittance_paid_once')],
            },
        ),
        migrations.CreateModel(
            name='Statement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=16)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('iban', models.CharField(max_length=34)),
                ('statement_id', models.CharField(max_length=70)),
                ('sequence', models.BigIntegerField(blank=True, null=True)),
                ('format', models.CharField(max_length=24)),
                ('content_sha256', models.CharField(max_length=64)),
                ('from_date', models.DateField(blank=True, null=True)),
                ('to_date', models.DateField(blank=True, null=True)),
                ('opening_minor', models.BigIntegerField(blank=True, null=True)),
                ('closing_minor', models.BigIntegerField(blank=True, null=True)),
                ('currency', models.CharField(max_length=3)),
                ('problems', models.JSONField(default=list)),
                ('imported_at', models.DateTimeField()),
                ('imported_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
            ],
            options={
                'verbose_name': 'bank statement',
                'constraints': [models.UniqueConstraint(fields=('organisation', 'iban', 'statement_id'), name='statement_once'), models.UniqueConstraint(fields=('organisation', 'content_sha256', 'iban'), name='statement_content_once')],
            },
        ),
        migrations.CreateModel(
            name='StatementLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=16)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('position', models.PositiveIntegerField()),
                ('booked_on', models.DateField()),
                ('amount_minor', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('end_to_end_id', models.CharField(blank=True, max_length=70)),
                ('bank_reference', models.CharField(blank=True, max_length=70)),
                ('counterparty_iban', models.CharField(blank=True, max_length=34)),
                ('counterparty_name', models.CharField(blank=True, max_length=200)),
                ('remittance_text', models.CharField(blank=True, max_length=600)),
                ('return_reason', models.CharField(blank=True, max_length=16)),
                ('is_return', models.BooleanField(default=False)),
                ('explanation', models.CharField(blank=True, max_length=300)),
                ('explained_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('statement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='settlement.statement')),
            ],
            options={
                'verbose_name': 'statement line',
                'constraints': [models.UniqueConstraint(fields=('statement', 'position'), name='statement_line_once'), models.CheckConstraint(condition=models.Q(('amount_minor', 0), _negated=True), name='statement_line_not_zero')],
            },
        ),
        migrations.CreateModel(
            name='Match',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('payment', 'payment'), ('return', 'return')], max_length=8)),
                ('amount_minor', models.BigIntegerField()),
                ('rule', models.CharField(max_length=32)),
                ('confidence', models.PositiveSmallIntegerField()),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('matched_at', models.DateTimeField()),
                ('undone_at', models.DateTimeField(blank=True, null=True)),
                ('matched_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('payment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='matches', to='settlement.payment')),
                ('statement_line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='matches', to='settlement.statementline')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('undone_at__isnull', True)), fields=('payment', 'kind'), name='match_once')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='adjudicationrun',
            trigger=pgtrigger.compiler.Trigger(name='adjudication_run_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{open:done}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='8a2d0d4757c3db227d8c59435abc0c8e96c82720', operation='UPDATE', pgid='pgtrigger_adjudication_run_moves_6de89', table='settlement_adjudicationrun', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='adjudicationrun',
            trigger=pgtrigger.compiler.Trigger(name='adjudication_run_birth', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'done\', \'open\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='2eef281695e3552b52a9c1265ad74118a4d8d317', operation='INSERT', pgid='pgtrigger_adjudication_run_birth_532e1', table='settlement_adjudicationrun', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='claim',
            trigger=pgtrigger.compiler.Trigger(name='claim_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{adjudicated:disputed,adjudicated:paid,adjudicated:rejected,adjudicated:reversed,adjudicated:scheduled,disputed:adjudicated,disputed:rejected,disputed:reversed,draft:submitted,draft:withdrawn,paid:adjudicated,paid:reversed,paid:scheduled,rejected:disputed,rejected:reversed,returned:rejected,returned:submitted,returned:withdrawn,scheduled:adjudicated,scheduled:paid,submitted:adjudicated,submitted:rejected,submitted:returned,submitted:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='dfb1f0e2972d4603e967d704a20affaac5b46c50', operation='UPDATE', pgid='pgtrigger_claim_moves_e0e1c', table='settlement_claim', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='claim',
            trigger=pgtrigger.compiler.Trigger(name='claim_birth', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'draft\', \'returned\', \'submitted\', \'withdrawn\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='c79a14fc7ac16654098f6c9fc4ec6e9a73c1a9f7', operation='INSERT', pgid='pgtrigger_claim_birth_36416', table='settlement_claim', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='adjudication',
            trigger=pgtrigger.compiler.Trigger(name='adjudication_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='cf6f7917b3b901712fdc8595530cc40fa60a8e24', operation='UPDATE OR DELETE', pgid='pgtrigger_adjudication_append_only_2e8d7', table='settlement_adjudication', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='adjudication',
            trigger=pgtrigger.compiler.Trigger(name='adjudication_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'history is append-only: % cannot be truncated', TG_TABLE_NAME;", hash='b9382c645d7dc392118c6969f796c64b037bbbb4', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_adjudication_no_truncate_9acae', table='settlement_adjudication', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='clearance',
            trigger=pgtrigger.compiler.Trigger(name='clearance_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='f06f544ebb289c8d05a8b595661eb18b4a374ed6', operation='UPDATE OR DELETE', pgid='pgtrigger_clearance_append_only_b1b55', table='settlement_clearance', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='clearance',
            trigger=pgtrigger.compiler.Trigger(name='clearance_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'history is append-only: % cannot be truncated', TG_TABLE_NAME;", hash='fbfd9229be652df7d469c115d389204f034cc4e5', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_clearance_no_truncate_eea4a', table='settlement_clearance', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='closedmonth',
            trigger=pgtrigger.compiler.Trigger(name='closed_month_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='4318d55c78f2e56ddf0d0275dae8e9b0d8a56cbc', operation='UPDATE OR DELETE', pgid='pgtrigger_closed_month_append_only_50012', table='settlement_closedmonth', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='closedmonth',
            trigger=pgtrigger.compiler.Trigger(name='closed_month_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'history is append-only: % cannot be truncated', TG_TABLE_NAME;", hash='28fb06efb5f1f887baca1808e8708fcc24fe73c4', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_closed_month_no_truncate_5ad18', table='settlement_closedmonth', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='entry',
            trigger=pgtrigger.compiler.Trigger(name='entry_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='c5996a82df170523b157f4e8c8095ff05fe614eb', operation='UPDATE OR DELETE', pgid='pgtrigger_entry_append_only_37cda', table='settlement_entry', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='entry',
            trigger=pgtrigger.compiler.Trigger(name='entry_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'history is append-only: % cannot be truncated', TG_TABLE_NAME;", hash='44babca24cd7e3a3b0dc818849671c8edf938c7f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_entry_no_truncate_e5b31', table='settlement_entry', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='finding',
            trigger=pgtrigger.compiler.Trigger(name='finding_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='46f1425196f119747fb6ab23f92629b2522a8774', operation='UPDATE OR DELETE', pgid='pgtrigger_finding_append_only_1acd5', table='settlement_finding', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='finding',
            trigger=pgtrigger.compiler.Trigger(name='finding_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'history is append-only: % cannot be truncated', TG_TABLE_NAME;", hash='a1e2f9ec994b53aafc4f8e1afe93ccf6cf26948e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_finding_no_truncate_60f1f', table='settlement_finding', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentrun',
            trigger=pgtrigger.compiler.Trigger(name='payment_run_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{approved:cancelled,approved:released,proposed:approved,proposed:cancelled,released:closed}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='74bc9a114232f6a1ed745e1ad33b13383ef87067', operation='UPDATE', pgid='pgtrigger_payment_run_moves_3923d', table='settlement_paymentrun', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentrun',
            trigger=pgtrigger.compiler.Trigger(name='payment_run_birth', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'proposed\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='3e22dce91b7dc8cce42e14ea8e98c05d4e93a381', operation='INSERT', pgid='pgtrigger_payment_run_birth_0ee29', table='settlement_paymentrun', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payment',
            trigger=pgtrigger.compiler.Trigger(name='payment_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{confirmed:returned,prepared:failed,prepared:sent,sent:confirmed,sent:failed,sent:returned}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='5d451a6375827df32b4723550e5b9e88580b83a4', operation='UPDATE', pgid='pgtrigger_payment_moves_5de43', table='settlement_payment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payment',
            trigger=pgtrigger.compiler.Trigger(name='payment_birth', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'prepared\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='afc73f47590eeacdf6a25073cb1d291075cc824d', operation='INSERT', pgid='pgtrigger_payment_birth_19310', table='settlement_payment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentrunapproval',
            trigger=pgtrigger.compiler.Trigger(name='payment_run_approval_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='105b9badb0ddb968d7cfb0587ae93a67c5f54124', operation='UPDATE OR DELETE', pgid='pgtrigger_payment_run_approval_append_only_772ee', table='settlement_paymentrunapproval', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='paymentrunapproval',
            trigger=pgtrigger.compiler.Trigger(name='payment_run_approval_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'history is append-only: % cannot be truncated', TG_TABLE_NAME;", hash='6ffda1ee870f9fc9682a4266c4b36eb14c2eaf64', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_payment_run_approval_no_truncate_f34d5', table='settlement_paymentrunapproval', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='posting',
            trigger=pgtrigger.compiler.Trigger(name='posting_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='a57f45fedf6edc54352cdb3d35b07fb341e7ef07', operation='UPDATE OR DELETE', pgid='pgtrigger_posting_append_only_30ce1', table='settlement_posting', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='posting',
            trigger=pgtrigger.compiler.Trigger(name='posting_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'history is append-only: % cannot be truncated', TG_TABLE_NAME;", hash='08a41adf81b428dc62a38fdd6ac53980670539dc', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_posting_no_truncate_a8099', table='settlement_posting', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='remittance',
            trigger=pgtrigger.compiler.Trigger(name='remittance_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='860596ba4cca227c83a02694956cc2e8c0e21248', operation='UPDATE OR DELETE', pgid='pgtrigger_remittance_append_only_3a718', table='settlement_remittance', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='remittance',
            trigger=pgtrigger.compiler.Trigger(name='remittance_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'history is append-only: % cannot be truncated', TG_TABLE_NAME;", hash='cf6de87054ec0b93beea8d2fef2c6c099e9dd48c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_remittance_no_truncate_da5ea', table='settlement_remittance', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='statement',
            trigger=pgtrigger.compiler.Trigger(name='statement_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{imported:reconciled,quarantined:imported,quarantined:refused}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='75902406859b11cddcc2f8b80a0a0a2122db7cf4', operation='UPDATE', pgid='pgtrigger_statement_moves_ccb82', table='settlement_statement', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='statement',
            trigger=pgtrigger.compiler.Trigger(name='statement_birth', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'imported\', \'quarantined\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='c677fa9fdcfc409d7539eb21a5f15b6f6aab6b8c', operation='INSERT', pgid='pgtrigger_statement_birth_c1722', table='settlement_statement', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='statementline',
            trigger=pgtrigger.compiler.Trigger(name='statement_line_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{explained:unmatched,matched:unmatched,partial:matched,partial:unmatched,unmatched:explained,unmatched:matched,unmatched:partial}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='44730216eec11effd09169373d025646e7b9e3eb', operation='UPDATE', pgid='pgtrigger_statement_line_moves_b9b65', table='settlement_statementline', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='statementline',
            trigger=pgtrigger.compiler.Trigger(name='statement_line_birth', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'unmatched\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='183f4e27b7ab4f0c21bb874f43d0bc5a55fe2456', operation='INSERT', pgid='pgtrigger_statement_line_birth_adf39', table='settlement_statementline', when='BEFORE')),
        ),
    ]
