-- Takes the next stable ID of a type letter (P, G, M or T); only the triggers that assign IDs may call it.
-- The shared advisory lock keeps claim_stable_id from moving the sequence back meanwhile.
CREATE OR REPLACE FUNCTION next_stable_id(kind "char") RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    number bigint;
BEGIN
    PERFORM pg_advisory_lock_shared(19795, ascii(kind::text));
    BEGIN
        number := nextval(('stable_id_' || lower(kind::text))::regclass);
    EXCEPTION WHEN query_canceled OR others THEN
        PERFORM pg_advisory_unlock_shared(19795, ascii(kind::text));
        RAISE;
    END;
    PERFORM pg_advisory_unlock_shared(19795, ascii(kind::text));
    RETURN 'FE-' || kind::text || '-' || lpad(number::text, greatest(5, length(number::text)), '0');
END $$;
REVOKE EXECUTE ON FUNCTION next_stable_id("char") FROM PUBLIC;
