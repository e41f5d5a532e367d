-- Assigns the number (#247) of a new directory entry, or moves the sequence past the given one. As with stable IDs, an
-- advisory lock separates moving and taking, and is released at once.
CREATE OR REPLACE FUNCTION assign_community_number() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    given bigint := substring(NEW.member_id FROM '^#([1-9][0-9]{0,17})$')::bigint;
BEGIN
    IF coalesce(NEW.member_id, '') = '' THEN
        PERFORM pg_advisory_lock_shared(19795, ascii('#'));
        BEGIN
            NEW.member_id := '#' || nextval('community_member_number');
        EXCEPTION WHEN query_canceled OR others THEN
            PERFORM pg_advisory_unlock_shared(19795, ascii('#'));
            RAISE;
        END;
        PERFORM pg_advisory_unlock_shared(19795, ascii('#'));
    -- The table's CHECK rejects a number of another format.
    ELSIF given > coalesce(pg_sequence_last_value('community_member_number'), 0) THEN
        PERFORM pg_advisory_lock(19795, ascii('#'));
        BEGIN
            IF given > coalesce(pg_sequence_last_value('community_member_number'), 0) THEN
                PERFORM setval('community_member_number', given);
            END IF;
        EXCEPTION WHEN query_canceled OR others THEN
            PERFORM pg_advisory_unlock(19795, ascii('#'));
            RAISE;
        END;
        PERFORM pg_advisory_unlock(19795, ascii('#'));
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION assign_community_number() FROM PUBLIC;
