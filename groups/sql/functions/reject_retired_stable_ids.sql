-- Rejects the stable ID of a deleted row. Runs after the insert, so that it sees an ID that a concurrent transaction
-- has just retired.
CREATE OR REPLACE FUNCTION reject_retired_stable_ids() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    reused text;
BEGIN
    IF NOT EXISTS (SELECT FROM retired_stable_ids) THEN
        RETURN NULL;
    END IF;
    SELECT r.stable_id INTO reused
    FROM new_rows n
    JOIN retired_stable_ids r ON r.stable_id = coalesce(to_jsonb(n) ->> 'stable_id', to_jsonb(n) ->> 'member_id')
    LIMIT 1;
    IF reused IS NOT NULL THEN
        RAISE EXCEPTION 'stable ID % was used before', reused
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'stable_id_never_reused';
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION reject_retired_stable_ids() FROM PUBLIC;
