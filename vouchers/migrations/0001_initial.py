import config.fields
import django.contrib.postgres.constraints
import django.db.models.deletion
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
            name='Certificate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=16)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('number', models.CharField(max_length=64)),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('status_from', models.DateField(blank=True, null=True)),
                ('short_code', models.CharField(blank=True, max_length=16, null=True, unique=True)),
                ('token_hash', models.CharField(blank=True, max_length=64, null=True, unique=True)),
                ('pin_hash', models.CharField(blank=True, max_length=160)),
                ('pin_failures', models.PositiveSmallIntegerField(default=0)),
                ('issued_at', models.DateTimeField(blank=True, null=True)),
                ('reserved_minor', models.BigIntegerField(default=0)),
                ('budget_line', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='contracts.budgetline')),
                ('issued_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
                ('replaces', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='vouchers.certificate')),
            ],
            options={
                'verbose_name': 'certificate',
            },
        ),
        migrations.CreateModel(
            name='CertificateLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('units', models.DecimalField(decimal_places=3, max_digits=14)),
                ('certificate', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='vouchers.certificate')),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='contracts.service')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('certificate', 'service'), name='certificate_line_once'), models.CheckConstraint(condition=models.Q(('units__gt', 0)), name='certificate_line_positive')],
            },
        ),
        migrations.CreateModel(
            name='CertificateSuspension',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('from_date', models.DateField()),
                ('to_date', models.DateField(blank=True, null=True)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('recorded_at', models.DateTimeField()),
                ('certificate', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='suspensions', to='vouchers.certificate')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('certificate', 'from_date'), name='certificate_suspension_once'), models.CheckConstraint(condition=models.Q(('to_date__isnull', True), ('to_date__gt', models.F('from_date')), _connector='OR'), name='certificate_suspension_range')],
            },
        ),
        migrations.CreateModel(
            name='NeedsAssessment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=64)),
                ('assessed_on', models.DateField()),
                ('dependency_level', models.CharField(blank=True, max_length=32)),
                ('findings', config.fields.EncryptedTextField(blank=True, default='')),
                ('recommended', models.JSONField(default=list)),
                ('recorded_at', models.DateTimeField()),
                ('assessed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='IndividualPlan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=16)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('number', models.CharField(max_length=64)),
                ('recorded_at', models.DateTimeField()),
                ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('assessment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='vouchers.needsassessment')),
            ],
            options={
                'verbose_name': 'individual plan',
            },
        ),
        migrations.CreateModel(
            name='Recipient',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=64)),
                ('name', config.fields.EncryptedTextField(blank=True, default='')),
                ('name_index', models.CharField(blank=True, db_index=True, max_length=32)),
                ('birth_date', models.DateField(blank=True, null=True)),
                ('death_date', models.DateField(blank=True, null=True)),
                ('death_recorded_at', models.DateTimeField(blank=True, null=True)),
                ('tax_id', config.fields.EncryptedTextField(blank=True, default='')),
                ('tax_id_index', models.CharField(blank=True, db_index=True, max_length=32)),
                ('phone', config.fields.EncryptedTextField(blank=True, default='')),
                ('address', config.fields.EncryptedTextField(blank=True, default='')),
                ('free_category', config.fields.EncryptedTextField(blank=True, default='')),
                ('registered_at', models.DateTimeField()),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
                ('user', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'recipient',
                'constraints': [models.UniqueConstraint(fields=('organisation', 'code'), name='recipient_once')],
            },
        ),
        migrations.CreateModel(
            name='PlanLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('units_per_month', models.DecimalField(decimal_places=3, max_digits=14)),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('recorded_at', models.DateTimeField()),
                ('plan', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='vouchers.individualplan')),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='contracts.service')),
                ('recipient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='plan_lines', to='vouchers.recipient')),
            ],
            options={
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('recipient', '='), ('service', '='), (config.fields.DateRangeOf('valid_from', 'valid_to'), '&&')], name='plan_line_no_overlap'), models.CheckConstraint(condition=models.Q(('valid_to__isnull', True), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='plan_line_range'), models.CheckConstraint(condition=models.Q(('units_per_month__gt', 0)), name='plan_line_positive')],
            },
        ),
        migrations.CreateModel(
            name='Mandate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', config.fields.EncryptedTextField()),
                ('basis', models.CharField(max_length=200)),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('recipient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='mandates', to='vouchers.recipient')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('valid_to__isnull', True), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='mandate_range')],
            },
        ),
        migrations.CreateModel(
            name='FeeAssessment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mode', models.CharField(choices=[('F', 'free'), ('D', 'differentiated fee'), ('C', 'full cost')], max_length=1)),
                ('monthly_limit', models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True)),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('decision', models.CharField(blank=True, max_length=200)),
                ('formula_id', models.CharField(blank=True, max_length=32)),
                ('income_member', models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True)),
                ('inputs', models.JSONField(default=dict)),
                ('parameters', models.JSONField(default=list)),
                ('steps', models.JSONField(default=list)),
                ('recorded_at', models.DateTimeField()),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('recipient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fee_assessments', to='vouchers.recipient')),
            ],
            options={
                'verbose_name': 'fee decision',
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('recipient', '='), (config.fields.DateRangeOf('valid_from', 'valid_to'), '&&')], name='fee_assessment_no_overlap'), models.CheckConstraint(condition=models.Q(('valid_to__isnull', True), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='fee_assessment_range'), models.CheckConstraint(condition=models.Q(('valid_from__day', 1)), name='fee_assessment_month'), models.CheckConstraint(condition=models.Q(models.Q(('mode', 'D'), _negated=True), ('monthly_limit__gte', 0), _connector='OR'), name='fee_assessment_limit')],
            },
        ),
        migrations.CreateModel(
            name='Absence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('hospital', 'hospital'), ('residential', 'residential care'), ('away', 'away')], max_length=12)),
                ('from_date', models.DateField()),
                ('to_date', models.DateField(blank=True, null=True)),
                ('recorded_at', models.DateTimeField()),
                ('recipient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='absences', to='vouchers.recipient')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('recipient', 'kind', 'from_date'), name='absence_once'), models.CheckConstraint(condition=models.Q(('to_date__isnull', True), ('to_date__gt', models.F('from_date')), _connector='OR'), name='absence_range')],
            },
        ),
        migrations.CreateModel(
            name='RecipientResidence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('recipient_class', models.CharField(blank=True, max_length=64)),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('recorded_at', models.DateTimeField()),
                ('recipient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='residences', to='vouchers.recipient')),
                ('territory', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='contracts.territory')),
            ],
            options={
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('recipient', '='), (config.fields.DateRangeOf('valid_from', 'valid_to'), '&&')], name='recipient_residence_no_overlap'), models.CheckConstraint(condition=models.Q(('valid_to__isnull', True), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='recipient_residence_range'), models.CheckConstraint(condition=models.Q(('valid_from__day', 1)), name='recipient_residence_month')],
            },
        ),
        migrations.CreateModel(
            name='Redemption',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=16)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('code', models.CharField(max_length=64)),
                ('channel', models.CharField(choices=[('online', 'online'), ('offline', 'offline'), ('reported', 'reported')], max_length=8)),
                ('certificate_number', models.CharField(blank=True, max_length=64)),
                ('provider_code', models.CharField(blank=True, max_length=64)),
                ('worker_code', models.CharField(blank=True, max_length=64)),
                ('service_code', models.CharField(blank=True, max_length=64)),
                ('starts_at', models.DateTimeField(blank=True, null=True)),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('units_milli', models.BigIntegerField(null=True)),
                ('authorised_milli', models.BigIntegerField(null=True)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('recorded_at', models.DateTimeField()),
                ('certificate', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='redemptions', to='vouchers.certificate')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
                ('provider', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='contracts.provider')),
                ('recorded_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('service', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='contracts.service')),
                ('worker', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='contracts.worker')),
            ],
            options={
                'verbose_name': 'redemption',
                'indexes': [models.Index(fields=['provider', 'starts_at'], name='redemption_provider'), models.Index(fields=['organisation', 'starts_at'], name='redemption_recent')],
                'constraints': [models.UniqueConstraint(fields=('organisation', 'code'), name='redemption_once')],
            },
        ),
        migrations.CreateModel(
            name='CertificateEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('issued', 'issued'), ('held', 'held'), ('released', 'released'), ('captured', 'captured'), ('restored', 'restored'), ('expired', 'expired'), ('cancelled', 'cancelled')], max_length=12)),
                ('units_milli', models.BigIntegerField()),
                ('occurred_at', models.DateTimeField()),
                ('recorded_at', models.DateTimeField()),
                ('recorded_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('certificate_line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='vouchers.certificateline')),
                ('redemption', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='vouchers.redemption')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('units_milli', 0), _negated=True), name='certificate_entry_not_zero'), models.UniqueConstraint(condition=models.Q(('redemption__isnull', False)), fields=('redemption', 'kind'), name='certificate_entry_once')],
            },
        ),
        migrations.AddField(
            model_name='needsassessment',
            name='recipient',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assessments', to='vouchers.recipient'),
        ),
        migrations.AddField(
            model_name='individualplan',
            name='recipient',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='plans', to='vouchers.recipient'),
        ),
        migrations.AddField(
            model_name='certificate',
            name='recipient',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='certificates', to='vouchers.recipient'),
        ),
        migrations.AddConstraint(
            model_name='needsassessment',
            constraint=models.UniqueConstraint(fields=('recipient', 'number'), name='needs_assessment_once'),
        ),
        migrations.AddConstraint(
            model_name='individualplan',
            constraint=models.UniqueConstraint(fields=('recipient', 'number'), name='individual_plan_once'),
        ),
        migrations.AddConstraint(
            model_name='certificate',
            constraint=models.UniqueConstraint(fields=('organisation', 'number'), name='certificate_once'),
        ),
        migrations.AddConstraint(
            model_name='certificate',
            constraint=models.CheckConstraint(condition=models.Q(('valid_to__isnull', True), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='certificate_range'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='individualplan',
            trigger=pgtrigger.compiler.Trigger(name='individual_plan_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{approved:closed,draft:approved,draft:cancelled}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='986644053038e6241a1d2c9e2e5b54189ddbbb6f', operation='UPDATE', pgid='pgtrigger_individual_plan_moves_591d4', table='vouchers_individualplan', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='individualplan',
            trigger=pgtrigger.compiler.Trigger(name='individual_plan_birth', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'approved\', \'draft\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='b4abb3cbd49793cdce1e4cc192fc8fe977ee4c2e', operation='INSERT', pgid='pgtrigger_individual_plan_birth_2b891', table='vouchers_individualplan', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='certificate',
            trigger=pgtrigger.compiler.Trigger(name='certificate_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{active:cancelled,active:exhausted,active:expired,active:replaced,active:suspended,draft:cancelled,draft:issued,exhausted:active,exhausted:cancelled,exhausted:expired,exhausted:replaced,issued:active,issued:cancelled,issued:expired,suspended:active,suspended:cancelled,suspended:expired,suspended:replaced}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='72c6b31b816c9bdd9f3d37dd3d68675fe9dedcbd', operation='UPDATE', pgid='pgtrigger_certificate_moves_06c80', table='vouchers_certificate', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='certificate',
            trigger=pgtrigger.compiler.Trigger(name='certificate_birth', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'active\', \'cancelled\', \'draft\', \'replaced\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='bea242417f812ec12d519533a61d71097b68dd9f', operation='INSERT', pgid='pgtrigger_certificate_birth_0132f', table='vouchers_certificate', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='redemption',
            trigger=pgtrigger.compiler.Trigger(name='redemption_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{authorised:confirmed,authorised:expired,authorised:voided,confirmed:reversed}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='d621eb7371f2f2bc74e894e43252740a45379c55', operation='UPDATE', pgid='pgtrigger_redemption_moves_a23ea', table='vouchers_redemption', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='redemption',
            trigger=pgtrigger.compiler.Trigger(name='redemption_birth', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'authorised\', \'confirmed\', \'expired\', \'reversed\', \'voided\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='6791f7db6b29f4d1d7ed7bcd04b4a0b5f13b3795', operation='INSERT', pgid='pgtrigger_redemption_birth_b4264', table='vouchers_redemption', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='certificateentry',
            trigger=pgtrigger.compiler.Trigger(name='certificate_entry_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='39816a17c06c06ac139693f0194c6f86c3540d1f', operation='UPDATE OR DELETE', pgid='pgtrigger_certificate_entry_append_only_f9ea2', table='vouchers_certificateentry', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='certificateentry',
            trigger=pgtrigger.compiler.Trigger(name='certificate_entry_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'history is append-only: % cannot be truncated', TG_TABLE_NAME;", hash='76f57042733770b3467237344cf291bb0331601c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_certificate_entry_no_truncate_cef3b', table='vouchers_certificateentry', when='BEFORE')),
        ),
    ]
