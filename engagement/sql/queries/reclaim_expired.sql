-- Deletes expired claims and returns the number of their messages, which are due again. Used by claims.reclaim_expired.
WITH gone AS (
    DELETE FROM engagement_claims WHERE lease_expires_at < clock_timestamp()
    RETURNING message_ids, attempted_at, channel
), due_again AS (
    UPDATE engagement_message_queue q SET attempted_at = g.attempted_at, channel = g.channel
    FROM (SELECT unnest(message_ids) AS id, attempted_at, channel FROM gone) g
    WHERE q.id = g.id AND q.status IS NOT DISTINCT FROM 'pending'
    RETURNING q.id
)
SELECT count(*) FROM due_again
