"""What the database refuses: unbalanced entries, postings into closed months, edited claim lines, own approvals."""

from django.db import migrations

POSTINGS = """
CREATE FUNCTION posting_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken record;
BEGIN
    SELECT entry_id, currency, sum(debit) - sum(credit) AS difference INTO broken
    FROM added GROUP BY entry_id, currency HAVING sum(debit) <> sum(credit) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'ledger entry % does not balance in %: difference %', broken.entry_id, broken.currency,
            broken.difference USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_balance';
    END IF;
    -- Set-wise instead of two foreign keys: those cost more than all other checks together.
    SELECT a.entry_id INTO broken FROM (SELECT DISTINCT entry_id FROM added) a
    WHERE NOT EXISTS (SELECT 1 FROM settlement_entry e WHERE e.id = a.entry_id) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'posting without entry %', broken.entry_id USING ERRCODE = 'foreign_key_violation';
    END IF;
    SELECT a.account_id INTO broken FROM (SELECT DISTINCT account_id, currency FROM added) a
    WHERE NOT EXISTS (SELECT 1 FROM settlement_account c
                      WHERE c.id = a.account_id AND c.currency = a.currency) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'posting without account % of its currency', broken.account_id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER posting_guard AFTER INSERT ON settlement_posting
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION posting_guard();
"""

# Writers of entries share the lock, the closing of a month takes it alone: neither can slip past the other.
MONTHS = """
CREATE FUNCTION entry_month_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken record;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7466924, organisation_id::int)
    FROM (SELECT DISTINCT organisation_id FROM added ORDER BY 1) o;
    SELECT a.number, m.month INTO broken FROM added a JOIN settlement_closedmonth m
        ON m.organisation_id = a.organisation_id AND m.month = date_trunc('month', a.date)::date LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % falls into the closed month %', broken.number, broken.month
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_month_open';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER entry_month_guard AFTER INSERT ON settlement_entry
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION entry_month_guard();

CREATE FUNCTION closed_month_lock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7466924, NEW.organisation_id::int);
    RETURN NEW;
END $$;

CREATE TRIGGER closed_month_lock BEFORE INSERT ON settlement_closedmonth
FOR EACH ROW EXECUTE FUNCTION closed_month_lock();
"""

LINES = """
CREATE FUNCTION claim_line_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    state text;
BEGIN
    SELECT status INTO state FROM settlement_claim WHERE id = OLD.claim_id;
    IF state NOT IN ('draft', 'returned') THEN
        RAISE EXCEPTION 'claim line % is evidence of a % claim and cannot be changed', OLD.id, state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'claim_line_frozen';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER claim_line_guard BEFORE UPDATE OR DELETE ON settlement_claimline
FOR EACH ROW EXECUTE FUNCTION claim_line_guard();

CREATE FUNCTION claim_line_late_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken record;
BEGIN
    SELECT c.number, c.status INTO broken FROM settlement_claim c
    WHERE c.id IN (SELECT claim_id FROM added)
      AND c.status NOT IN ('draft', 'returned', 'submitted', 'withdrawn') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'claim % is % and takes no more lines', broken.number, broken.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'claim_line_frozen';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER claim_line_late_guard AFTER INSERT ON settlement_claimline
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION claim_line_late_guard();
"""

APPROVALS = """
CREATE FUNCTION payment_run_approval_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM settlement_paymentrun
               WHERE id = NEW.payment_run_id AND proposed_by_id = NEW.approved_by_id) THEN
        RAISE EXCEPTION 'the person who proposed a payment run cannot approve it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_run_four_eyes';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER payment_run_approval_guard BEFORE INSERT ON settlement_paymentrunapproval
FOR EACH ROW EXECUTE FUNCTION payment_run_approval_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0001_initial")]

    operations = [
        migrations.RunSQL(
            POSTINGS, "DROP TRIGGER posting_guard ON settlement_posting; DROP FUNCTION posting_guard()"
        ),
        migrations.RunSQL(
            MONTHS,
            "DROP TRIGGER entry_month_guard ON settlement_entry; DROP FUNCTION entry_month_guard();"
            "DROP TRIGGER closed_month_lock ON settlement_closedmonth; DROP FUNCTION closed_month_lock()",
        ),
        migrations.RunSQL(
            LINES,
            "DROP TRIGGER claim_line_guard ON settlement_claimline; DROP FUNCTION claim_line_guard();"
            "DROP TRIGGER claim_line_late_guard ON settlement_claimline; DROP FUNCTION claim_line_late_guard()",
        ),
        migrations.RunSQL(
            APPROVALS,
            "DROP TRIGGER payment_run_approval_guard ON settlement_paymentrunapproval;"
            "DROP FUNCTION payment_run_approval_guard()",
        ),
    ]
