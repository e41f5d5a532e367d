-- Sets the addresses of the member of a row that changed, and of the member it belonged to before. Argument: the column
-- with the member.
CREATE OR REPLACE FUNCTION sync_addresses() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    before uuid := CASE WHEN TG_OP <> 'INSERT' THEN (to_jsonb(OLD) ->> TG_ARGV[0])::uuid END;
    after uuid := CASE WHEN TG_OP <> 'DELETE' THEN (to_jsonb(NEW) ->> TG_ARGV[0])::uuid END;
BEGIN
    IF before IS NOT NULL AND before IS DISTINCT FROM after THEN
        PERFORM sync_member_addresses(ARRAY[before]);
    END IF;
    IF after IS NOT NULL THEN
        PERFORM sync_member_addresses(ARRAY[after]);
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION sync_addresses() FROM PUBLIC;
