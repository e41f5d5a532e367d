from django.db import migrations

# Django's index for LIKE is named after its table and column, and begins with that column.
REDUNDANT = """
DO $$
DECLARE
    redundant regclass;
BEGIN
    FOR redundant IN
        SELECT i.indexrelid::regclass FROM pg_index i
        JOIN pg_class c ON c.oid = i.indexrelid AND c.relnamespace = 'public'::regnamespace
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        JOIN pg_opclass o ON o.oid = i.indclass[0] AND o.opcname IN ('varchar_pattern_ops', 'text_pattern_ops')
        WHERE c.relname LIKE '%\\_like' AND i.indnatts = 1 AND i.indpred IS NULL
            AND a.attcollation = (SELECT oid FROM pg_collation WHERE collname = 'C' AND collencoding = -1)
    LOOP
        EXECUTE format('DROP INDEX %s', redundant);
    END LOOP;
END
$$
"""


class Migration(migrations.Migration):
    """Drop the indexes for LIKE on columns with collation C, whose plain indexes serve LIKE too."""

    dependencies = [("missionsite", "0014_saved_views"), ("fallback", "0017_documents")]

    operations = [migrations.RunSQL(REDUNDANT, migrations.RunSQL.noop)]
