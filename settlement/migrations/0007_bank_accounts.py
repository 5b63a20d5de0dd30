"""A ledger account for each account at a bank: the one that stood for all is that of the account which pays."""

from django.db import migrations

RENAME = """
UPDATE settlement_account a SET code = 'bank:' || replace(o.iban, ' ', '') FROM accounts_organisation o
WHERE o.id = a.organisation_id AND o.iban <> '' AND a.code = 'bank:main'
"""
BACK = """
UPDATE settlement_account a SET code = 'bank:main' FROM accounts_organisation o
WHERE o.id = a.organisation_id AND o.iban <> '' AND a.code = 'bank:' || replace(o.iban, ' ', '')
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0006_recipients_fees")]

    operations = [migrations.RunSQL(RENAME, BACK)]
