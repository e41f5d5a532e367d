-- One batch of members who become dormant: those in {state} whose {due_at} has passed. Used by sweeps.sweep_daily, which
-- inserts both names. Returns the same columns as send_goodbyes.sql.
WITH due AS MATERIALIZED (
    SELECT id FROM user_engagement_states WHERE state = '{state}' AND {due_at} <= %(at)s
    ORDER BY {due_at}, id LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED
), moved AS (
    UPDATE user_engagement_states s
    SET state = 'dormant', goodbye_sent_at = NULL, goodbye_expires_at = NULL, remind_at = NULL,
        asked_again_at = NULL, reminder_queued_at = NULL, reminder_expires_at = NULL
    FROM due WHERE s.id = due.id
    RETURNING 1
)
SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM moved), 0, NULL::timestamptz, NULL::bigint
