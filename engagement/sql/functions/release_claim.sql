-- Removes messages from a claim and returns those that were still in it; a sender whose lease expired gets none.
-- Deletes the claim with its last message. Only this function can change a claim; no function adds messages to one.
CREATE OR REPLACE FUNCTION release_claim(token uuid, ids bigint[]) RETURNS TABLE (id bigint, attempted_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER ROWS 500
SET search_path = public, pg_temp SET enable_nestloop = off SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    claim engagement_claims;
    left_ids bigint[];
    left_users uuid[];
BEGIN
    SELECT * INTO claim FROM engagement_claims WHERE attempt_token = token FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT array_agg(m.id), array_agg(m.user_id) INTO left_ids, left_users
    FROM unnest(claim.message_ids, claim.user_ids) AS m (id, user_id)
    WHERE NOT EXISTS (SELECT FROM unnest(ids) AS gone (id) WHERE gone.id = m.id);
    IF left_ids IS NULL THEN
        DELETE FROM engagement_claims WHERE attempt_token = token;
    ELSE
        UPDATE engagement_claims SET message_ids = left_ids, user_ids = left_users WHERE attempt_token = token;
    END IF;
    RETURN QUERY SELECT m.id, claim.attempted_at FROM unnest(claim.message_ids) AS m (id)
        JOIN unnest(ids) AS gone (id) ON gone.id = m.id;
END $$;
REVOKE EXECUTE ON FUNCTION release_claim(uuid, bigint[]) FROM PUBLIC;
