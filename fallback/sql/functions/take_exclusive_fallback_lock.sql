-- Takes the lock of take_shared_fallback_lock() exclusively, for deletions.
CREATE OR REPLACE FUNCTION take_exclusive_fallback_lock() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('fallback_rows', 0));
    RETURN NULL;
END $$;
