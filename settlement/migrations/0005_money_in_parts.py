"""A claim is paid in parts, a closed month keeps its figures, an approver says why an account is paid again."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("settlement", "0004_adjudication_references")]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='claim',
            name='claim_moves',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='payment',
            name='payment_moves',
        ),
        migrations.AddField(
            model_name='closedmonth',
            name='figures',
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name='closedmonth',
            name='providers',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='paymentrunapproval',
            name='reason',
            field=models.CharField(blank=True, max_length=300),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='claim',
            trigger=pgtrigger.compiler.Trigger(name='claim_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{adjudicated:disputed,adjudicated:paid,adjudicated:rejected,adjudicated:reversed,adjudicated:scheduled,disputed:adjudicated,disputed:rejected,disputed:reversed,draft:submitted,draft:withdrawn,paid:adjudicated,paid:reversed,paid:scheduled,rejected:disputed,rejected:reversed,returned:rejected,returned:submitted,returned:withdrawn,scheduled:adjudicated,scheduled:paid,scheduled:reversed,submitted:adjudicated,submitted:rejected,submitted:returned,submitted:withdrawn}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='1d80b0abcecce7bbe9a6806b687b53a612ed514c', operation='UPDATE', pgid='pgtrigger_claim_moves_e0e1c', table='settlement_claim', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='payment',
            trigger=pgtrigger.compiler.Trigger(name='payment_moves', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE _is_valid_transition BOOLEAN;', func='SELECT CONCAT(OLD."status", \':\', NEW."status") = ANY(\'{confirmed:returned,prepared:failed,prepared:sent,sent:confirmed,sent:failed}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."status" IS DISTINCT FROM NEW."status") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "status" from "%" to "%" on table %\', OLD."status", NEW."status", TG_TABLE_NAME; ELSE RETURN NEW; END IF;', hash='64cfa9e2b5cc5fdaa9b5ae4c1f01c26e2088ea58', operation='UPDATE', pgid='pgtrigger_payment_moves_5de43', table='settlement_payment', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='paymentrun',
            constraint=models.CheckConstraint(condition=models.Q(('released_by', models.F('proposed_by')), _negated=True), name='payment_run_release_four_eyes'),
        ),
    ]
