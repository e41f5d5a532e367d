-- Moves the sequence past a given stable ID, so that it is not assigned again. The table's CHECK rejects an ID of
-- another format.
CREATE OR REPLACE FUNCTION claim_stable_id(kind "char", stable_id text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    source regclass := ('stable_id_' || lower(kind::text))::regclass;
    number bigint := substring(stable_id FROM '^FE-.-([0-9]{5,14})$')::bigint;
BEGIN
    IF number IS NULL OR number <= coalesce(pg_sequence_last_value(source), 0) THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_lock(19795, ascii(kind::text));
    BEGIN
        IF number > coalesce(pg_sequence_last_value(source), 0) THEN
            PERFORM setval(source, number);
        END IF;
    EXCEPTION WHEN query_canceled OR others THEN
        PERFORM pg_advisory_unlock(19795, ascii(kind::text));
        RAISE;
    END;
    PERFORM pg_advisory_unlock(19795, ascii(kind::text));
END $$;
REVOKE EXECUTE ON FUNCTION claim_stable_id("char", text) FROM PUBLIC;
