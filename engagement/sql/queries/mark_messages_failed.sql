-- Records failed attempts of a claim: reschedules each message, or marks it as failed. Used by claims.mark_failed.
UPDATE engagement_message_queue q
SET status = CASE WHEN d.again_at IS NULL THEN 'failed' ELSE 'pending' END,
    retry_count = q.retry_count + 1, error_message = d.error,
    scheduled_for = coalesce(d.again_at, q.scheduled_for),
    waiting_for = CASE WHEN d.again_at IS NULL THEN '' ELSE 'retry' END,
    attempted_at = CASE WHEN d.maybe_taken THEN g.attempted_at ELSE q.attempted_at END,
    -- No other channel is used any more.
    channel = CASE WHEN d.maybe_taken THEN %(via)s ELSE q.channel END
FROM release_claim(%(token)s, %(ids)s::bigint[]) g
JOIN unnest(%(ids)s::bigint[], %(errors)s::text[], %(again)s::timestamptz[], %(maybe_taken)s::boolean[])
    AS d (id, error, again_at, maybe_taken) ON d.id = g.id
WHERE q.id = g.id AND q.status IS NOT DISTINCT FROM 'pending'
