-- Writes the figures of each day from `since` to today (missionsite/figures.py). It reads whole tables, in a job.
-- The members in a state at the end of a day are those of today, less the moves after that day.
-- Parameters: since (first day), today, zone (name of the time zone of days).
WITH days AS (
    SELECT d::date AS day, (d::date + 1)::timestamp AT TIME ZONE %(zone)s AS ends_at
    FROM generate_series(%(since)s::date, %(today)s::date, '1 day') d
),
since AS (SELECT %(since)s::date::timestamp AT TIME ZONE %(zone)s AS at),
messages AS (
    SELECT (sent_at AT TIME ZONE %(zone)s)::date AS day, 'messages_sent' AS name, count(*) AS value
    FROM engagement_message_queue, since WHERE status = 'sent' AND sent_at >= since.at GROUP BY 1
    UNION ALL
    SELECT (attempted_at AT TIME ZONE %(zone)s)::date, 'messages_failed', count(*)
    FROM engagement_message_queue, since WHERE status = 'failed' AND attempted_at >= since.at GROUP BY 1
),
runs AS (
    SELECT (finished_at AT TIME ZONE %(zone)s)::date AS day, 'runs_' || status AS name, count(*) AS value
    FROM test_runs, since WHERE status IN ('passed', 'failed') AND finished_at >= since.at GROUP BY 1, 2
),
moves AS (
    SELECT (created_at AT TIME ZONE %(zone)s)::date AS day, state, sum(change) AS change
    FROM (
        SELECT t.created_at, t.to_state AS state, 1 AS change FROM engagement_state_transitions t
        UNION ALL
        SELECT t.created_at, t.from_state, -1 FROM engagement_state_transitions t
        UNION ALL
        -- A member begins in the state that the first transition leaves, or else in the present one.
        SELECT s.created_at, coalesce(first.from_state, s.state), 1
        FROM user_engagement_states s
        LEFT JOIN LATERAL (SELECT t.from_state FROM engagement_state_transitions t WHERE t.user_id = s.user_id
            ORDER BY t.created_at, t.id LIMIT 1) first ON true
        WHERE s.created_at >= (SELECT at FROM since)
    ) changes
    WHERE created_at >= (SELECT at FROM since) GROUP BY 1, 2
),
states AS (
    SELECT d.day, 'state_' || s.state AS name,
        greatest(coalesce(n.number, 0)
            - coalesce((SELECT sum(m.change) FROM moves m WHERE m.state = s.state AND m.day > d.day), 0), 0) AS value
    FROM days d
    CROSS JOIN unnest(%(states)s::text[]) AS s (state)
    LEFT JOIN (SELECT state, count(*) AS number FROM user_engagement_states GROUP BY state) n ON n.state = s.state
),
stocks AS (
    SELECT %(today)s::date AS day, name, value FROM (VALUES
        ('open_tasks', (SELECT coalesce(sum(open_task_count), 0) FROM mission_counts)),
        ('active_missions', (SELECT count(*) FROM groups WHERE type = 'mission' AND status = 'active')),
        ('pending_entries', (SELECT count(*) FROM community_members WHERE status = 'pending' AND deleted_at IS NULL)),
        ('failed_messages', (SELECT count(*) FROM engagement_message_queue WHERE status = 'failed')),
        ('proposals', (SELECT count(*) FROM mission_fallback_items WHERE status = 'proposed')),
        ('overdue_missions', (SELECT count(*) FROM deck_missions WHERE status <> 'complete' AND deadline < now())),
        ('failing_missions', (SELECT count(*) FROM deck_missions m JOIN deck_latest_runs r ON r.mission_id = m.id
            WHERE m.status <> 'complete' AND r.status = 'failed'))
    ) AS stocks (name, value)
),
tiers AS (
    SELECT %(today)s::date AS day, 'tier_' || tier AS name,
        (SELECT count(*) FROM community_members m
            WHERE m.reputation_tier = tier AND m.status = 'active' AND m.deleted_at IS NULL) AS value
    FROM unnest(%(tiers)s::text[]) AS tier
),
found AS (
    SELECT * FROM tiers UNION ALL SELECT * FROM messages UNION ALL SELECT * FROM runs UNION ALL SELECT * FROM states UNION ALL SELECT * FROM stocks
)
INSERT INTO site_figures (day, name, value, refreshed_at)
SELECT day, name, value, now() FROM found WHERE day <= %(today)s
ON CONFLICT (name, day) DO UPDATE SET value = excluded.value, refreshed_at = excluded.refreshed_at
