-- Sets the addresses of the members of inserted rows, in one statement for all of them. Argument: the column with the
-- member.
CREATE OR REPLACE FUNCTION sync_new_addresses() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    who uuid[];
BEGIN
    EXECUTE format('SELECT array_agg(DISTINCT %I) FROM new_rows WHERE %1$I IS NOT NULL', TG_ARGV[0]) INTO who;
    IF who IS NOT NULL THEN
        PERFORM sync_member_addresses(who);
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION sync_new_addresses() FROM PUBLIC;
