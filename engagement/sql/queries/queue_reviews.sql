-- One batch of weekly reviews. Used by sweeps.sweep_weekly, which inserts members_to_review.sql. Returns the same columns
-- as send_goodbyes.sql.
WITH candidates AS MATERIALIZED (
    {members_to_review}
        AND (%(after_time)s::timestamptz IS NULL
             OR (s.last_activity_at, s.id) > (%(after_time)s::timestamptz, %(after_id)s::bigint))
    ORDER BY s.last_activity_at, s.id LIMIT %(most)s
), queued AS (
    INSERT INTO engagement_message_queue (user_id, message_type, message_key, message_params, destination,
        destination_jid, scheduled_for, idempotency_key, topic)
    SELECT user_id, %(review)s, %(review)s, jsonb_build_object('week', week), 'individual', address,
           %(at)s, user_id || ':' || %(review)s || ':' || week, %(review)s
    FROM candidates ORDER BY user_id ON CONFLICT (idempotency_key) DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM candidates), (SELECT count(*) FROM queued), (SELECT count(*) FROM queued),
       last.last_activity_at, last.id
FROM (SELECT 1) AS always
LEFT JOIN (
    SELECT last_activity_at, id FROM candidates ORDER BY last_activity_at DESC, id DESC LIMIT 1
) AS last ON true
