import django.contrib.postgres.indexes
import django.contrib.postgres.operations
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        django.contrib.postgres.operations.BtreeGistExtension(
        ),
        migrations.CreateModel(
            name='ChainHead',
            fields=[
                ('chain', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('sequence', models.BigIntegerField(default=0)),
                ('hash', models.BinaryField(default=b'')),
            ],
        ),
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('chain', models.CharField(max_length=64)),
                ('sequence', models.BigIntegerField(default=0, editable=False)),
                ('recorded_at', models.DateTimeField(editable=False, null=True)),
                ('business_at', models.DateTimeField()),
                ('actor', models.CharField(max_length=150)),
                ('actor_id', models.BigIntegerField(null=True)),
                ('action', models.CharField(max_length=64)),
                ('objects_touched', models.JSONField(default=list)),
                ('data', models.JSONField(default=dict)),
                ('previous_hash', models.BinaryField(default=b'')),
                ('hash', models.BinaryField(default=b'')),
            ],
            options={
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['objects_touched'], name='audit_event_objects', opclasses=['jsonb_path_ops']), models.Index(fields=['chain', '-sequence'], name='audit_event_recent')],
                'constraints': [models.UniqueConstraint(fields=('chain', 'sequence'), name='audit_event_sequence')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='auditevent',
            trigger=pgtrigger.compiler.Trigger(name='audit_event_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='a52dd9544408029fb52a3c67737f151dedcc4f6d', operation='UPDATE OR DELETE', pgid='pgtrigger_audit_event_append_only_27797', table='audit_auditevent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='auditevent',
            trigger=pgtrigger.compiler.Trigger(name='audit_event_no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'history is append-only: % cannot be truncated', TG_TABLE_NAME;", hash='a55430bbf8beb9b1e851a2ba6176285cf086bd7e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_audit_event_no_truncate_cb0d2', table='audit_auditevent', when='BEFORE')),
        ),
    ]
