-- Empties the queue of changes when participation is truncated.
CREATE OR REPLACE FUNCTION clear_participation_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    TRUNCATE participation_changes;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION clear_participation_changes() FROM PUBLIC;
