"""Notices of recipients' fees, what was received and given back, messages of Stripe, accounts of providers there."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_other_bank_accounts'),
        ('contracts', '0003_spending_is_recorded'),
        ('settlement', '0005_money_in_parts'),
        ('vouchers', '0003_certificate_reservations'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='account',
            name='kind',
            field=models.CharField(choices=[('expense', 'expense'), ('payable', 'payable to providers'), ('fee', "recipients' fees"), ('clearing', 'payments on the way'), ('bank', 'bank'), ('suspense', 'unexplained receipts'), ('funding', 'budget funding'), ('receivable', 'fees to come from recipients'), ('held', 'fees held for providers'), ('card', 'balance of card payments')], max_length=12),
        ),
        migrations.CreateModel(
            name='FeeNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField()),
                ('number', models.CharField(max_length=64)),
                ('rf_reference', models.CharField(max_length=25)),
                ('issued_at', models.DateTimeField()),
                ('issued_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
                ('recipient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fee_notices', to='vouchers.recipient')),
            ],
            options={
                'verbose_name': 'fee notice',
            },
        ),
        migrations.CreateModel(
            name='FeeCheckout',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=16)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('amount_minor', models.BigIntegerField()),
                ('key', models.CharField(max_length=64, unique=True)),
                ('session', models.CharField(blank=True, max_length=120)),
                ('address', models.URLField(blank=True, max_length=2000)),
                ('back', models.URLField(max_length=400)),
                ('expires_at', models.DateTimeField()),
                ('started_at', models.DateTimeField()),
                ('started_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('notice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='checkouts', to='settlement.feenotice')),
            ],
        ),
        migrations.CreateModel(
            name='FeeCharge',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount_minor', models.BigIntegerField()),
                ('charged_at', models.DateTimeField()),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fee_charges', to='contracts.provider')),
                ('notice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='charges', to='settlement.feenotice')),
            ],
        ),
        migrations.CreateModel(
            name='FeeReceipt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('method', models.CharField(choices=[('card', 'card'), ('bank', 'bank transfer')], max_length=4)),
                ('amount_minor', models.BigIntegerField()),
                ('payment', models.CharField(blank=True, max_length=120)),
                ('received_on', models.DateField()),
                ('recorded_at', models.DateTimeField()),
                ('notice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='receipts', to='settlement.feenotice')),
                ('statement_line', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='settlement.statementline')),
            ],
            options={
                'verbose_name': 'receipt of a fee',
            },
        ),
        migrations.CreateModel(
            name='FeeRefund',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=16)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('amount_minor', models.BigIntegerField()),
                ('reason', models.CharField(max_length=300)),
                ('requested_at', models.DateTimeField()),
                ('gateway_reference', models.CharField(blank=True, max_length=120)),
                ('refunded_on', models.DateField(blank=True, null=True)),
                ('approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='fee_refunds_approved', to=settings.AUTH_USER_MODEL)),
                ('receipt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='settlement.feereceipt')),
                ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='fee_refunds_requested', to=settings.AUTH_USER_MODEL)),
                ('statement_line', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='settlement.statementline')),
            ],
            options={
                'verbose_name': 'refund of a fee',
            },
        ),
        migrations.CreateModel(
            name='StripeEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_id', models.CharField(max_length=120, unique=True)),
                ('kind', models.CharField(max_length=80)),
                ('created_at', models.DateTimeField()),
                ('received_at', models.DateTimeField()),
                ('facts', models.JSONField(default=dict)),
                ('outcome', models.CharField(blank=True, max_length=40)),
                ('handled_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'message of Stripe',
                'indexes': [models.Index(fields=['received_at'], name='stripe_event_received')],
            },
        ),
        migrations.CreateModel(
            name='WebhookRefusal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('reason', models.CharField(max_length=40)),
                ('count', models.PositiveIntegerField(default=0)),
                ('last_at', models.DateTimeField()),
                ('last_sha256', models.CharField(max_length=64)),
            ],
            options={
                'verbose_name': 'refused message to the webhook',
                'constraints': [models.UniqueConstraint(fields=('day', 'reason'), name='webhook_refusal_once')],
            },
        ),
        migrations.CreateModel(
            name='ConnectedAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.CharField(max_length=64, unique=True)),
                ('recorded_at', models.DateTimeField()),
                ('provider', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='connected_account', to='contracts.provider')),
            ],
            options={
                'verbose_name': 'account of a provider at Stripe',
                'constraints': [models.CheckConstraint(condition=models.Q(('account__regex', '^acct_[A-Za-z0-9]+$')), name='connected_account_shape')],
            },
        ),
        migrations.AddConstraint(
            model_name='feenotice',
            constraint=models.UniqueConstraint(fields=('organisation', 'recipient', 'month'), name='fee_notice_once'),
        ),
        migrations.AddConstraint(
            model_name='feenotice',
            constraint=models.UniqueConstraint(fields=('organisation', 'number'), name='fee_notice_number_once'),
        ),
        migrations.AddConstraint(
            model_name='feenotice',
            constraint=models.UniqueConstraint(fields=('organisation', 'rf_reference'), name='fee_notice_reference_once'),
        ),
        migrations.AddConstraint(
            model_name='feenotice',
            constraint=models.CheckConstraint(condition=models.Q(('month__day', 1)), name='fee_notice_month'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='feenotice',
            trigger=pgtrigger.compiler.Trigger(name='fee_notice_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='ee7505e59a65f61bb76904b3ac7a16855456cd61', operation='UPDATE OR DELETE', pgid='pgtrigger_fee_notice_append_only_d3dfb', table='settlement_feenotice', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='feenotice',
            trigger=pgtrigger.compiler.Trigger(name='fee_notice_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'history is append-only: % cannot be truncated', TG_TABLE_NAME;", hash='0b59c997644e30233156055f8844c5ba4a9f4604', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_fee_notice_no_truncate_9df33', table='settlement_feenotice', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='feecheckout',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'open')), fields=('notice',), name='fee_checkout_open'),
        ),
        migrations.AddConstraint(
            model_name='feecheckout',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='fee_checkout_positive'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='feecheckout',
            trigger=pgtrigger.compiler.Trigger(name='fee_checkout_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{expired:paid,open:expired,open:paid}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='25e78cf536ee6f9334b3b6a527b42265e09552a9', operation='UPDATE', pgid='pgtrigger_fee_checkout_moves_c6124', table='settlement_feecheckout', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='feecheckout',
            trigger=pgtrigger.compiler.Trigger(name='fee_checkout_birth', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'open\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='ec874b82a5f56429d13e615f66195d416a6fd384', operation='INSERT', pgid='pgtrigger_fee_checkout_birth_da2e6', table='settlement_feecheckout', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='feecharge',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor', 0), _negated=True), name='fee_charge_not_zero'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='feecharge',
            trigger=pgtrigger.compiler.Trigger(name='fee_charge_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='df4fb591736831344cf98f4c8b944ca3b719b3ca', operation='UPDATE OR DELETE', pgid='pgtrigger_fee_charge_append_only_7736a', table='settlement_feecharge', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='feecharge',
            trigger=pgtrigger.compiler.Trigger(name='fee_charge_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'history is append-only: % cannot be truncated', TG_TABLE_NAME;", hash='397a37a65e4690bb3132439e48cb6c6c54f9dd7c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_fee_charge_no_truncate_f681a', table='settlement_feecharge', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='feereceipt',
            constraint=models.UniqueConstraint(condition=models.Q(('payment', ''), _negated=True), fields=('payment',), name='fee_receipt_once'),
        ),
        migrations.AddConstraint(
            model_name='feereceipt',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='fee_receipt_positive'),
        ),
        migrations.AddConstraint(
            model_name='feereceipt',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('method', 'card'), ('statement_line__isnull', True), models.Q(('payment', ''), _negated=True)), models.Q(('method', 'bank'), ('payment', ''), ('statement_line__isnull', False)), _connector='OR'), name='fee_receipt_source'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='feereceipt',
            trigger=pgtrigger.compiler.Trigger(name='fee_receipt_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='f5623e58c61d23b37505bb755ec2bf4e256f3431', operation='UPDATE OR DELETE', pgid='pgtrigger_fee_receipt_append_only_526ac', table='settlement_feereceipt', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='feereceipt',
            trigger=pgtrigger.compiler.Trigger(name='fee_receipt_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'history is append-only: % cannot be truncated', TG_TABLE_NAME;", hash='6a227552caca2ae29eb4200e3fa255ff634c8717', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_fee_receipt_no_truncate_a83e5', table='settlement_feereceipt', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='feerefund',
            constraint=models.CheckConstraint(condition=models.Q(('amount_minor__gt', 0)), name='fee_refund_positive'),
        ),
        migrations.AddConstraint(
            model_name='feerefund',
            constraint=models.CheckConstraint(condition=models.Q(('approved_by__isnull', True), models.Q(('approved_by', models.F('requested_by')), _negated=True), _connector='OR'), name='fee_refund_four_eyes'),
        ),
        migrations.AddConstraint(
            model_name='feerefund',
            constraint=models.UniqueConstraint(condition=models.Q(('gateway_reference', ''), _negated=True), fields=('gateway_reference',), name='fee_refund_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='feerefund',
            trigger=pgtrigger.compiler.Trigger(name='fee_refund_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{approved:failed,approved:refunded,refunded:failed,requested:approved,requested:refunded,requested:refused}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='e62b9e1fd8a1ea95daa3297da633a1eef468d764', operation='UPDATE', pgid='pgtrigger_fee_refund_moves_fdf42', table='settlement_feerefund', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='feerefund',
            trigger=pgtrigger.compiler.Trigger(name='fee_refund_birth', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'requested\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='673e0abbee4c1772bce2343844a3bd74731b71ac', operation='INSERT', pgid='pgtrigger_fee_refund_birth_37a8b', table='settlement_feerefund', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='feerefund',
            trigger=pgtrigger.compiler.Trigger(name='fee_refund_limit', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nPERFORM pg_advisory_xact_lock(7466925, notice_id::int) FROM settlement_feereceipt WHERE id = NEW.receipt_id;\nIF (SELECT COALESCE(sum(amount_minor), 0) FROM settlement_feerefund\n    WHERE receipt_id = NEW.receipt_id AND status NOT IN ('refused', 'failed') AND id <> NEW.id) + NEW.amount_minor\n    > (SELECT amount_minor FROM settlement_feereceipt WHERE id = NEW.receipt_id) THEN\n    RAISE EXCEPTION 'refunds of receipt % exceed what was received', NEW.receipt_id\n        USING ERRCODE = 'check_violation', CONSTRAINT = 'fee_refund_limit';\nEND IF;\nRETURN NEW;\n", hash='37f1ab86790af9d30f85bc8433f2e6f378ef8f0e', operation='INSERT OR UPDATE', pgid='pgtrigger_fee_refund_limit_c0979', table='settlement_feerefund', when='BEFORE')),
        ),
    ]
