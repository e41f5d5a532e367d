-- Rejects a change of the merged counts by anyone but the functions that keep them, which run as the table's owner.
CREATE OR REPLACE FUNCTION reject_merged_count_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_user <> (SELECT relowner::regrole::text FROM pg_class WHERE oid = TG_RELID) THEN
        RAISE EXCEPTION 'the counts of group % are kept by the database', OLD.stable_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'groups_counts_read_only';
    END IF;
    RETURN NEW;
END $$;
