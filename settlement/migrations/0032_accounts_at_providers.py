"""Accounts at Stripe stand beside the bank account of the provider; what is changed from now on passes the same gates."""

from django.db import migrations

THERE = """
UPDATE contracts_provider p SET stripe_account = a.account FROM settlement_connectedaccount a WHERE a.provider_id = p.id;
"""
BACK = """
INSERT INTO settlement_connectedaccount (provider_id, account, recorded_at)
SELECT p.id, p.stripe_account, COALESCE((SELECT max(a.recorded_at) FROM contracts_provideraccount a
    WHERE a.provider_id = p.id AND a.iban = p.stripe_account), now())
FROM contracts_provider p WHERE p.stripe_account <> '';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contracts", "0013_accounts_of_two_kinds"),
        ("settlement", "0031_adjudications_in_one_look"),
    ]

    operations = [migrations.RunSQL(THERE, BACK)]
