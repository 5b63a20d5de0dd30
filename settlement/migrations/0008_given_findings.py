"""Findings that come with a package are kept as given."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("settlement", "0007_bank_accounts"),
    ]

    operations = [
        migrations.CreateModel(
            name="GivenFinding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("run", models.PositiveIntegerField()),
                ("check_code", models.CharField(max_length=8)),
                (
                    "severity",
                    models.CharField(
                        choices=[("R", "rejects"), ("P", "asks a person"), ("C", "cuts"), ("W", "warns")], max_length=1
                    ),
                ),
                ("units", models.BigIntegerField()),
                ("amount", models.BigIntegerField()),
                ("detail", models.TextField(blank=True)),
                ("recorded_at", models.DateTimeField()),
                (
                    "claim_line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="given_findings",
                        to="settlement.claimline",
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="accounts.organisation"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("claim_line", "run", "check_code"), name="given_finding_once"),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gte", 0), ("units__gte", 0)), name="given_finding_figures"
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="givenfinding",
            trigger=pgtrigger.compiler.Trigger(
                name="given_finding_append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="71f40eef592f78bea81954e7e24898505bbb9e26",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_given_finding_append_only_a79af",
                    table="settlement_givenfinding",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="givenfinding",
            trigger=pgtrigger.compiler.Trigger(
                name="given_finding_no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'history is append-only: % cannot be truncated', TG_TABLE_NAME;",
                    hash="b8a6cb8da0f0b457390a1bbfc6715daebdf68e9a",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_given_finding_no_truncate_bae33",
                    table="settlement_givenfinding",
                    when="BEFORE",
                ),
            ),
        ),
    ]
