-- Cancels the unsent messages of a cancelled announcement and returns their number. Skips claimed and locked messages
-- instead of waiting: their sender cancels them.
CREATE OR REPLACE FUNCTION cancel_announcement_messages(announcement bigint, reason text) RETURNS integer
LANGUAGE plpgsql
AS $$
DECLARE
    free bigint[];
    withdrawn integer;
BEGIN
    SELECT array_agg(l.id) INTO free FROM (
        SELECT q.id FROM engagement_message_queue q
        WHERE q.announcement_id = announcement AND q.status IN ('pending', 'failed')
        FOR NO KEY UPDATE SKIP LOCKED
    ) l;
    UPDATE engagement_message_queue q SET status = 'cancelled', error_message = reason
    WHERE q.id = ANY (free) AND q.id NOT IN (SELECT h.id FROM claimed_messages() h);
    GET DIAGNOSTICS withdrawn = ROW_COUNT;
    RETURN withdrawn;
END $$;
