-- Returns the claimed messages; user_id is NULL for a transactional message, which does not count towards the cap.
-- ROWS 5000 makes the planner use a hash join; a nested loop over a batch would take longer than sending it.
CREATE OR REPLACE FUNCTION claimed_messages() RETURNS TABLE (id bigint, user_id uuid, attempt_token uuid)
LANGUAGE plpgsql STABLE ROWS 5000
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT m.id, m.user_id, k.attempt_token
        FROM engagement_claims k CROSS JOIN unnest(k.message_ids, k.user_ids) AS m (id, user_id);
END $$;
