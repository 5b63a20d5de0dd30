"""Whoever stands close to a provider judges nothing of it, whatever the program says (CLM-45)."""

# ruff: noqa: S608  SQL is put together from names in this code; nothing comes from outside.

from django.db import migrations

# A person is related on the day, in the organisation's zone, on which the judgement is recorded.
_RELATED = """
    SELECT 1 FROM contracts_providerrelation x
    WHERE x.user_id = {user} AND x.provider_id = {provider}
      AND x.valid_from <= ({at} AT TIME ZONE o.zone)::date
      AND (x.valid_to IS NULL OR ({at} AT TIME ZONE o.zone)::date < x.valid_to)
"""

_REFUSE = """
        RAISE EXCEPTION 'a person may not judge a provider to whom they are related'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'adjudicator_independent';
"""

_RUNS = f"""
CREATE FUNCTION remittance_interest_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM added m JOIN settlement_adjudicationrun r ON r.id = m.run_id
               JOIN accounts_organisation o ON o.id = r.organisation_id
               WHERE EXISTS ({_RELATED.format(user="r.started_by_id", provider="m.provider_id", at="r.recorded_at")})) THEN
        {_REFUSE}
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER remittance_interest_guard AFTER INSERT ON settlement_remittance
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION remittance_interest_guard();
"""


def _pends(table: str, person: str) -> str:
    """A trigger on a decision about a pend; ``person``: SQL of its user."""
    related = _RELATED.format(user=person, provider="k.provider_id", at="NEW.recorded_at")
    return f"""
CREATE FUNCTION {table}_interest_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM settlement_claimline l JOIN settlement_claim k ON k.id = l.claim_id
               JOIN accounts_organisation o ON o.id = k.organisation_id
               WHERE l.id = NEW.claim_line_id AND EXISTS ({related})) THEN
        {_REFUSE}
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER {table}_interest_guard BEFORE INSERT ON settlement_{table}
FOR EACH ROW EXECUTE FUNCTION {table}_interest_guard();
"""


# A clearance names its person by the name that a package carries.
_CLEARANCE = "(SELECT u.id FROM accounts_user u WHERE u.username = NEW.decided_by)"

_IMPORTED = """
UPDATE settlement_claim SET imported = true
WHERE submitted_at IS NOT NULL AND submitted_by_id IS NULL AND reverses_id IS NULL
"""


def _drop(table: str, name: str) -> str:
    return f"DROP TRIGGER {name} ON settlement_{table}; DROP FUNCTION {name}()"


class Migration(migrations.Migration):
    dependencies = [("settlement", "0010_facts_of_checks"), ("contracts", "0007_facts_of_checks")]

    operations = [
        # Claims that nobody handed in here came with packages; the new checks do not look into them.
        migrations.RunSQL(_IMPORTED, migrations.RunSQL.noop),
        migrations.RunSQL(_RUNS, _drop("remittance", "remittance_interest_guard")),
        migrations.RunSQL(_pends("clearance", _CLEARANCE), _drop("clearance", "clearance_interest_guard")),
        migrations.RunSQL(_pends("keptpend", "NEW.decided_by_id"), _drop("keptpend", "keptpend_interest_guard")),
    ]
