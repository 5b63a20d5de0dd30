import config.fields
import django.contrib.postgres.constraints
import django.db.models.deletion
import django.db.models.functions.comparison
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
        ('audit', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='CpvCode',
            fields=[
                ('code', models.CharField(max_length=16, primary_key=True, serialize=False)),
                ('name_uk', models.CharField(max_length=400)),
                ('name_ru', models.CharField(blank=True, max_length=400)),
                ('name_en', models.CharField(blank=True, max_length=400)),
            ],
        ),
        migrations.CreateModel(
            name='Provider',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=64, unique=True)),
                ('name', models.CharField(max_length=255)),
                ('sector', models.CharField(choices=[('state', 'state'), ('communal', 'communal'), ('nonprofit', 'non-profit'), ('private', 'private')], max_length=16)),
                ('iban', models.CharField(blank=True, max_length=34)),
                ('registration_code', models.CharField(blank=True, max_length=16)),
                ('registered_on', models.DateField(blank=True, null=True)),
                ('vat_payer', models.BooleanField(default=False)),
                ('active_from', models.DateField(blank=True, null=True)),
                ('active_to', models.DateField(blank=True, null=True)),
                ('admitted_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name': 'provider',
            },
        ),
        migrations.CreateModel(
            name='BudgetLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=64)),
                ('year', models.PositiveSmallIntegerField()),
                ('name', models.CharField(blank=True, max_length=255)),
                ('programme', models.CharField(blank=True, max_length=64)),
                ('economic_code', models.CharField(blank=True, max_length=16)),
                ('source', models.CharField(blank=True, max_length=64)),
                ('amount_currency', djmoney.models.fields.CurrencyField(choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], default='UAH', editable=False, max_length=3)),
                ('amount', djmoney.models.fields.MoneyField(currency_choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], decimal_places=2, max_digits=16)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
            ],
            options={
                'verbose_name': 'budget line',
                'constraints': [models.UniqueConstraint(fields=('organisation', 'code', 'year'), name='budget_line_once'), models.CheckConstraint(condition=models.Q(('amount__gte', 0)), name='budget_line_amount')],
            },
        ),
        migrations.CreateModel(
            name='CalendarDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('jurisdiction', models.CharField(max_length=16)),
                ('date', models.DateField()),
                ('kind', models.CharField(choices=[('off', 'day off'), ('working', 'working day')], max_length=8)),
                ('organisation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organisation', 'jurisdiction', 'date'), name='calendar_day_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='Contract',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=16)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('number', models.CharField(max_length=64)),
                ('basis', models.CharField(choices=[('award', 'award'), ('register', 'register'), ('grant', 'grant')], max_length=12)),
                ('title', models.CharField(blank=True, max_length=255)),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('ceiling_currency', djmoney.models.fields.CurrencyField(choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], default='UAH', editable=False, max_length=3, null=True)),
                ('ceiling', djmoney.models.fields.MoneyField(blank=True, currency_choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], decimal_places=2, max_digits=16, null=True)),
                ('signed_at', models.DateTimeField(blank=True, null=True)),
                ('budget_line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contracts', to='contracts.budgetline')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
                ('signed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('signed_by_provider', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contracts', to='contracts.provider')),
            ],
            options={
                'verbose_name': 'contract',
                'constraints': [models.UniqueConstraint(fields=('organisation', 'number'), name='contract_once'), models.CheckConstraint(condition=models.Q(('valid_to__isnull', True), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='contract_range')],
            },
        ),
        migrations.CreateModel(
            name='Milestone',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=16)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('code', models.CharField(max_length=32)),
                ('title', models.CharField(max_length=255)),
                ('due_date', models.DateField()),
                ('tranche_currency', djmoney.models.fields.CurrencyField(choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], default='UAH', editable=False, max_length=3, null=True)),
                ('tranche', djmoney.models.fields.MoneyField(blank=True, currency_choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], decimal_places=2, max_digits=16, null=True)),
                ('contract', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='milestones', to='contracts.contract')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('contract', 'code'), name='milestone_once')],
            },
        ),
        migrations.CreateModel(
            name='Parameter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('jurisdiction', models.CharField(max_length=16)),
                ('key', models.CharField(max_length=80)),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('value', models.CharField(max_length=200)),
                ('unit', models.CharField(blank=True, max_length=32)),
                ('act', models.CharField(blank=True, max_length=300)),
                ('article', models.CharField(blank=True, max_length=120)),
                ('evidence', models.CharField(blank=True, max_length=16)),
                ('note', models.TextField(blank=True)),
                ('recorded_at', models.DateTimeField()),
                ('organisation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
                ('recorded_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organisation', 'jurisdiction', 'key', 'valid_from'), name='parameter_once', nulls_distinct=False), django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(django.db.models.functions.comparison.Coalesce('organisation_id', 0), '='), ('jurisdiction', '='), ('key', '='), (config.fields.DateRangeOf('valid_from', 'valid_to'), '&&')], name='parameter_no_overlap'), models.CheckConstraint(condition=models.Q(('valid_to__isnull', True), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='parameter_range')],
            },
        ),
        migrations.CreateModel(
            name='ProviderSuspension',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('from_date', models.DateField()),
                ('to_date', models.DateField(blank=True, null=True)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('recorded_at', models.DateTimeField()),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='suspensions', to='contracts.provider')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('provider', 'from_date'), name='provider_suspension_once'), models.CheckConstraint(condition=models.Q(('to_date__isnull', True), ('to_date__gt', models.F('from_date')), _connector='OR'), name='provider_suspension_range')],
            },
        ),
        migrations.CreateModel(
            name='ProviderUser',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='users', to='contracts.provider')),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='provider_user', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Service',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=64)),
                ('name_uk', models.CharField(max_length=255)),
                ('name_ru', models.CharField(blank=True, max_length=255)),
                ('name_en', models.CharField(blank=True, max_length=255)),
                ('level', models.CharField(blank=True, choices=[('simple', 'simple'), ('complex', 'complex'), ('auxiliary', 'auxiliary')], max_length=16)),
                ('form', models.CharField(blank=True, choices=[('home', 'at home'), ('semi_residential', 'semi-residential'), ('residential', 'residential'), ('remote', 'remote')], max_length=20)),
                ('unit', models.CharField(choices=[('hour', 'hour'), ('visit', 'visit'), ('day', 'day'), ('trip', 'trip')], max_length=8)),
                ('granularity', models.DecimalField(decimal_places=3, max_digits=14)),
                ('units_per_day_max', models.DecimalField(blank=True, decimal_places=3, max_digits=14, null=True)),
                ('units_per_month_max', models.DecimalField(blank=True, decimal_places=3, max_digits=14, null=True)),
                ('amount_per_year_max', models.DecimalField(blank=True, decimal_places=2, max_digits=16, null=True)),
                ('group_size_max', models.PositiveIntegerField(blank=True, null=True)),
                ('basic', models.BooleanField(default=False)),
                ('free_for_all', models.BooleanField(default=False)),
                ('one_off', models.BooleanField(default=False)),
                ('cpv', models.CharField(blank=True, max_length=16)),
                ('provisional', models.BooleanField(default=False)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
            ],
            options={
                'verbose_name': 'service',
                'constraints': [models.UniqueConstraint(fields=('organisation', 'code'), name='service_once'), models.CheckConstraint(condition=models.Q(('granularity__gt', 0)), name='service_granularity')],
            },
        ),
        migrations.CreateModel(
            name='ContractLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('valid_from', models.DateField(blank=True, null=True)),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('unit_rate', models.DecimalField(decimal_places=4, max_digits=14)),
                ('units_ceiling', models.DecimalField(blank=True, decimal_places=3, max_digits=16, null=True)),
                ('amendment', models.CharField(blank=True, max_length=200)),
                ('recorded_at', models.DateTimeField()),
                ('contract', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='contracts.contract')),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='contracts.service')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('contract', 'service', 'valid_from'), name='contract_line_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('unit_rate__gt', 0)), name='contract_line_positive')],
            },
        ),
        migrations.CreateModel(
            name='Tariff',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('payer_kind', models.CharField(choices=[('person', 'person'), ('family', 'family')], default='person', max_length=8)),
                ('unit_rate_currency', djmoney.models.fields.CurrencyField(choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], default='UAH', editable=False, max_length=3)),
                ('unit_rate', djmoney.models.fields.MoneyField(currency_choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], decimal_places=4, max_digits=14)),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('basis', models.CharField(max_length=300)),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tariffs', to='contracts.provider')),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='contracts.service')),
            ],
            options={
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(expressions=[('provider', '='), ('service', '='), ('payer_kind', '='), (config.fields.DateRangeOf('valid_from', 'valid_to'), '&&')], name='tariff_no_overlap'), models.CheckConstraint(condition=models.Q(('valid_to__isnull', True), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='tariff_range')],
            },
        ),
        migrations.CreateModel(
            name='TariffSet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=64)),
                ('name', models.CharField(max_length=255)),
                ('basis', models.CharField(max_length=300)),
                ('basis_date', models.DateField(blank=True, null=True)),
                ('hour_rate', models.DecimalField(blank=True, decimal_places=4, max_digits=14, null=True)),
                ('rounding_step', models.DecimalField(decimal_places=2, default='0.01', max_digits=6)),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('evidence', models.CharField(blank=True, max_length=16)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='contracts.provider')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organisation', 'code'), name='tariff_set_once'), models.CheckConstraint(condition=models.Q(('valid_to__isnull', True), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='tariff_set_range')],
            },
        ),
        migrations.CreateModel(
            name='TariffSetItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('name', models.CharField(max_length=255)),
                ('minutes', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('published_currency', djmoney.models.fields.CurrencyField(choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], default='UAH', editable=False, max_length=3)),
                ('published', djmoney.models.fields.MoneyField(currency_choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], decimal_places=2, max_digits=14)),
                ('computed_currency', djmoney.models.fields.CurrencyField(choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], default='UAH', editable=False, max_length=3, null=True)),
                ('computed', djmoney.models.fields.MoneyField(blank=True, currency_choices=[('UAH', 'UAH'), ('RUB', 'RUB'), ('EUR', 'EUR'), ('USD', 'USD')], decimal_places=2, max_digits=14, null=True)),
                ('tariff_set', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='contracts.tariffset')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('tariff_set', 'position'), name='tariff_item_once')],
            },
        ),
        migrations.CreateModel(
            name='Territory',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=64)),
                ('name', models.CharField(max_length=255)),
                ('kind', models.CharField(choices=[('urban', 'urban'), ('rural', 'rural')], max_length=8)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='contracts.territory')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organisation', 'code'), name='territory_once')],
            },
        ),
        migrations.CreateModel(
            name='NormCost',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(max_length=16)),
                ('status_at', models.DateTimeField(blank=True, null=True)),
                ('recipient_class', models.CharField(blank=True, max_length=64)),
                ('unit_rate', models.DecimalField(decimal_places=4, max_digits=14)),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('act', models.CharField(blank=True, max_length=300)),
                ('formula_id', models.CharField(blank=True, max_length=32)),
                ('inputs', models.JSONField(default=dict)),
                ('steps', models.JSONField(default=list)),
                ('recorded_at', models.DateTimeField()),
                ('approver', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='norms_approved', to=settings.AUTH_USER_MODEL)),
                ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='norms_drafted', to=settings.AUTH_USER_MODEL)),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.organisation')),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='norm_costs', to='contracts.service')),
                ('territory', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='contracts.territory')),
            ],
            options={
                'verbose_name': 'norm cost',
                'constraints': [django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('status', 'approved')), expressions=[('service', '='), (django.db.models.functions.comparison.Coalesce('territory_id', 0), '='), ('recipient_class', '='), (config.fields.DateRangeOf('valid_from', 'valid_to'), '&&')], name='norm_cost_no_overlap'), models.CheckConstraint(condition=models.Q(('valid_to__isnull', True), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='norm_cost_range'), models.CheckConstraint(condition=models.Q(('unit_rate__gt', 0)), name='norm_cost_positive'), models.CheckConstraint(condition=models.Q(('author__isnull', True), models.Q(('author', models.F('approver')), _negated=True), _connector='OR'), name='norm_cost_four_eyes')],
            },
        ),
        migrations.CreateModel(
            name='Worker',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=64, unique=True)),
                ('name', config.fields.EncryptedTextField(blank=True, default='')),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='workers', to='contracts.provider')),
            ],
        ),
        migrations.CreateModel(
            name='WorkerQualification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(blank=True, null=True)),
                ('recorded_at', models.DateTimeField()),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='contracts.service')),
                ('worker', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='qualifications', to='contracts.worker')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('worker', 'service', 'valid_from'), name='worker_qualification_once'), models.CheckConstraint(condition=models.Q(('valid_to__isnull', True), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='worker_qualification_range')],
            },
        ),
        migrations.CreateModel(
            name='BudgetEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('commitment', 'commitment'), ('reservation', 'reservation'), ('spending', 'spending')], max_length=12)),
                ('amount_minor', models.BigIntegerField()),
                ('label', models.CharField(max_length=80)),
                ('occurred_on', models.DateField()),
                ('recorded_at', models.DateTimeField()),
                ('recorded_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL)),
                ('budget_line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='contracts.budgetline')),
            ],
            options={
                'indexes': [models.Index(fields=['budget_line', 'kind'], name='budget_entry_line'), models.Index(fields=['label'], name='budget_entry_label')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount_minor', 0), _negated=True), name='budget_entry_not_zero')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='budgetentry',
            trigger=pgtrigger.compiler.Trigger(name='budget_entry_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='a5bca7db3b172d8aa979b841d6b628bed2166f99', operation='UPDATE OR DELETE', pgid='pgtrigger_budget_entry_append_only_50569', table='contracts_budgetentry', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='budgetentry',
            trigger=pgtrigger.compiler.Trigger(name='budget_entry_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'history is append-only: % cannot be truncated', TG_TABLE_NAME;", hash='76d67e30552d8ebc3f43e02dac28452993de7d97', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_budget_entry_no_truncate_f8660', table='contracts_budgetentry', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='milestone',
            trigger=pgtrigger.compiler.Trigger(name='milestone_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{partiallyMet:met,partiallyMet:notMet,scheduled:met,scheduled:notMet,scheduled:partiallyMet}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='aed6d53a5e8d1df1e091e5552fc163fbdbced531', operation='UPDATE', pgid='pgtrigger_milestone_moves_2c111', table='contracts_milestone', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='milestone',
            trigger=pgtrigger.compiler.Trigger(name='milestone_birth', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'scheduled\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='4bcf81db8d56970a429dfe9c77d006f3754b706e', operation='INSERT', pgid='pgtrigger_milestone_birth_901cc', table='contracts_milestone', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='contract',
            trigger=pgtrigger.compiler.Trigger(name='contract_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{active:terminated,pending:active,pending:cancelled}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='1740f10e117a02547283addfddb597a2bd3cf29e', operation='UPDATE', pgid='pgtrigger_contract_moves_befe8', table='contracts_contract', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='contract',
            trigger=pgtrigger.compiler.Trigger(name='contract_birth', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'active\', \'cancelled\', \'pending\', \'terminated\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='b57f448d55c4d06d0118ba2d1921a40a45a00e22', operation='INSERT', pgid='pgtrigger_contract_birth_cdf83', table='contracts_contract', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='normcost',
            trigger=pgtrigger.compiler.Trigger(name='norm_cost_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{approved:withdrawn,draft:approved,draft:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='b9dcc70a24215a9080a3c71da409aa8a6724fa85', operation='UPDATE', pgid='pgtrigger_norm_cost_moves_d65ff', table='contracts_normcost', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='normcost',
            trigger=pgtrigger.compiler.Trigger(name='norm_cost_birth', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (NEW."status" IN (\'approved\', \'draft\')))', func="RAISE EXCEPTION 'pgtrigger: Cannot insert rows from % table', TG_TABLE_NAME;", hash='43e327bf9d80904c478f74d6342ef03f7fd8c4ac', operation='INSERT', pgid='pgtrigger_norm_cost_birth_2f120', table='contracts_normcost', when='BEFORE')),
        ),
    ]
