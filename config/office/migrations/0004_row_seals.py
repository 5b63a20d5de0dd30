from django.db import migrations, models

# `to_jsonb` follows settings of the session: the functions fix those that change how a value is written.
FUNCTIONS = """
CREATE FUNCTION office_seal_of(line jsonb, left_out text[]) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT sha256(convert_to((line - left_out)::text, 'UTF8')) $$;

CREATE FUNCTION office_seal_rows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET bytea_output = 'hex' AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO office_rowseal (table_name, row_id, seal)
        SELECT TG_TABLE_NAME, n.id, office_seal_of(to_jsonb(n), string_to_array(TG_ARGV[0], ',')) FROM written n
        -- A row that was there before, and went with the triggers off, keeps its first seal.
        ON CONFLICT DO NOTHING;
    ELSIF TG_OP = 'UPDATE' THEN
        -- What was changed with the triggers off is not sealed by the next honest change.
        EXECUTE 'UPDATE office_rowseal s SET seal = office_seal_of(x.becomes, $2) FROM (
                SELECT o.id, to_jsonb(o) AS was, to_jsonb(n) AS becomes FROM replaced o JOIN written n ON n.id = o.id) x
            WHERE s.table_name = $1 AND s.row_id = x.id AND x.was - $2 <> x.becomes - $2
                AND s.seal = office_seal_of(x.was, $2)' USING TG_TABLE_NAME, string_to_array(TG_ARGV[0], ',');
    ELSE
        EXECUTE 'DELETE FROM office_rowseal s USING replaced o WHERE s.table_name = $1 AND s.row_id = o.id'
            USING TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION office_seal_table(called name, left_out text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp SET timezone = 'UTC' SET bytea_output = 'hex' AS $$
BEGIN
    DELETE FROM office_rowseal WHERE table_name = called;
    EXECUTE format('INSERT INTO office_rowseal (table_name, row_id, seal)
        SELECT %L, t.id, office_seal_of(to_jsonb(t), string_to_array(%L, '','')) FROM %I t', called, left_out, called);
END $$;

CREATE FUNCTION office_broken_seals(called name, left_out text, most integer)
RETURNS TABLE (row_id bigint, name text, expected text, found text)
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp SET timezone = 'UTC' SET bytea_output = 'hex' AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT COALESCE(t.id, s.row_id)::bigint,
            COALESCE(t.line->>''number'', t.line->>''code'', t.line->>''reference'', t.line->>''key'', ''''),
            CASE WHEN s.seal IS NULL THEN ''a row that was written with its seal'' ELSE ''the row as it was sealed'' END,
            CASE WHEN t.id IS NULL THEN ''no row'' WHEN s.seal IS NULL THEN ''a row without one''
                ELSE ''another'' END
        FROM (SELECT x.id, to_jsonb(x) AS line FROM %I x) t
        FULL JOIN (SELECT r.row_id, r.seal FROM office_rowseal r WHERE r.table_name = %L) s ON s.row_id = t.id
        WHERE s.seal IS DISTINCT FROM office_seal_of(t.line, string_to_array(%L, '',''))
        ORDER BY 1 LIMIT %s', called, called, left_out, most);
END $$;
"""
DROP = """
DROP FUNCTION office_seal_rows() CASCADE;
DROP FUNCTION office_broken_seals(name, text, integer);
DROP FUNCTION office_seal_table(name, text);
DROP FUNCTION office_seal_of(jsonb, text[]);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("office", "0003_earlier_versions_of_a_row"),
    ]

    operations = [
        migrations.CreateModel(
            name="RowSeal",
            fields=[
                ("pk", models.CompositePrimaryKey("table_name", "row_id", blank=True, editable=False, primary_key=True, serialize=False)),
                ("table_name", models.CharField(max_length=63)),
                ("row_id", models.BigIntegerField()),
                ("seal", models.BinaryField()),
            ],
        ),
        migrations.RunSQL(FUNCTIONS, DROP),
    ]
