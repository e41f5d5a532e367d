-- Marks messages as sent; returns how many were still claimed by this attempt and not cancelled. provider_ids may be
-- empty. IS NOT DISTINCT FROM keeps the planner from scanning the index of all pending messages.
-- Uses a generic plan, made once per connection: planning takes longer than running. Runs with the caller's privileges.
CREATE OR REPLACE FUNCTION mark_messages_sent(token uuid, ids bigint[], times timestamptz[], provider_ids text[]) RETURNS integer
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET jit = off
AS $$
DECLARE
    marked integer;
BEGIN
    UPDATE engagement_message_queue q
    SET status = 'sent', sent_at = d.sent_at, provider_message_id = coalesce(d.provider_id, ''), error_message = '',
        waiting_for = '', attempted_at = g.attempted_at
    FROM release_claim(token, ids) AS g JOIN unnest(ids, times, provider_ids) AS d (id, sent_at, provider_id) ON d.id = g.id
    WHERE q.id = g.id AND q.status IS NOT DISTINCT FROM 'pending';
    GET DIAGNOSTICS marked = ROW_COUNT;
    RETURN marked;
END $$;
