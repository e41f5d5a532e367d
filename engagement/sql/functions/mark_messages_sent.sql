-- Marks messages as sent; returns how many were still claimed by this attempt and not cancelled. provider_ids and addresses
-- may be empty. via, addresses: the channel they were sent on, with its addresses; empty if the site has one transport. IS NOT
-- DISTINCT FROM keeps the planner from scanning the index of all pending messages.
-- Uses a generic plan, made once per connection: planning takes longer than running. Runs with the caller's privileges.
CREATE OR REPLACE FUNCTION mark_messages_sent(
    token uuid, ids bigint[], times timestamptz[], provider_ids text[], via text, addresses text[]
) RETURNS integer
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET jit = off
AS $$
DECLARE
    marked integer;
BEGIN
    UPDATE engagement_message_queue q
    SET status = 'sent', sent_at = d.sent_at, provider_message_id = coalesce(d.provider_id, ''), error_message = '',
        waiting_for = '', attempted_at = g.attempted_at, channel = via,
        destination_jid = coalesce(d.address, q.destination_jid)
    FROM release_claim(token, ids) AS g JOIN unnest(ids, times, provider_ids, addresses)
        AS d (id, sent_at, provider_id, address) ON d.id = g.id
    WHERE q.id = g.id AND q.status IS NOT DISTINCT FROM 'pending';
    GET DIAGNOSTICS marked = ROW_COUNT;
    RETURN marked;
END $$;
