-- One batch of goodbyes: moves inactive members to goodbye_sent and queues the message. Least recently active first;
-- each batch continues after the last row of the previous one. Used by sweeps.sweep_daily, which inserts
-- inactive_members.sql. Returns the numbers of rows seen, moved and queued, and the position of the last row.
WITH candidates AS MATERIALIZED (
    SELECT s.id, s.user_id, s.last_activity_at, b.may_be_sent, p.individual_jid AS address
    {inactive_members}
        AND (%(after_time)s::timestamptz IS NULL
             OR (s.last_activity_at, s.id) > (%(after_time)s::timestamptz, %(after_id)s::bigint))
    ORDER BY s.last_activity_at, s.id LIMIT %(most)s
    FOR NO KEY UPDATE OF s SKIP LOCKED
), moved AS (
    UPDATE user_engagement_states s
    SET state = 'goodbye_sent'
    FROM candidates l WHERE l.may_be_sent AND s.id = l.id
    RETURNING s.user_id, l.address
), queued AS (
    INSERT INTO engagement_message_queue (user_id, message_type, message_key, destination, destination_jid,
        scheduled_for, idempotency_key)
    SELECT user_id, %(goodbye)s, %(goodbye)s, 'individual', address, %(at)s,
           user_id || ':' || %(goodbye)s || ':' || to_char(%(at)s AT TIME ZONE 'UTC', 'YYYY-MM-DD')
    FROM moved ON CONFLICT (idempotency_key) DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM candidates), (SELECT count(*) FROM moved), (SELECT count(*) FROM queued),
       last.last_activity_at, last.id
FROM (SELECT 1) AS always
LEFT JOIN (
    SELECT last_activity_at, id FROM candidates ORDER BY last_activity_at DESC, id DESC LIMIT 1
) AS last ON true
