"""The hash chain: every insert is sequenced and hashed by the database itself."""

from django.db import migrations

HASH = """
CREATE FUNCTION audit_event_hash(
    previous bytea, sequence bigint, recorded_at timestamptz, business_at timestamptz,
    actor text, action text, objects_touched jsonb, data jsonb
) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(convert_to(concat_ws(E'\\n',
        encode(previous, 'hex'), sequence::text,
        to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        to_char(business_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        actor, action, objects_touched::text, data::text), 'UTF8'))
$$;
"""

# SECURITY DEFINER: web and worker may insert events but have no right on the chain heads.
CHAIN = """
CREATE FUNCTION audit_event_chain() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    head audit_chainhead%ROWTYPE;
BEGIN
    INSERT INTO audit_chainhead (chain, sequence, hash) VALUES (NEW.chain, 0, ''::bytea)
    ON CONFLICT (chain) DO NOTHING;
    SELECT * INTO head FROM audit_chainhead WHERE chain = NEW.chain FOR UPDATE;
    NEW.sequence := head.sequence + 1;
    NEW.previous_hash := head.hash;
    NEW.recorded_at := clock_timestamp();
    NEW.hash := audit_event_hash(NEW.previous_hash, NEW.sequence, NEW.recorded_at, NEW.business_at,
                                 NEW.actor::text, NEW.action::text, NEW.objects_touched, NEW.data);
    UPDATE audit_chainhead SET sequence = NEW.sequence, hash = NEW.hash WHERE chain = NEW.chain;
    RETURN NEW;
END $$;

CREATE TRIGGER audit_event_chain BEFORE INSERT ON audit_auditevent
FOR EACH ROW EXECUTE FUNCTION audit_event_chain();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.RunSQL(
            HASH,
            "DROP FUNCTION audit_event_hash(bytea, bigint, timestamptz, timestamptz, text, text, jsonb, jsonb)",
        ),
        migrations.RunSQL(
            CHAIN, "DROP TRIGGER audit_event_chain ON audit_auditevent; DROP FUNCTION audit_event_chain()"
        ),
    ]
