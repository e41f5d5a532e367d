-- Metrics of background work, messages and backlogs (missionsite/metrics.py): name, values of the labels, number.
-- Each part reads an index or a bounded number of rows, since monitoring asks every few seconds.
WITH recent_events AS (
    SELECT job_id, type, at FROM procrastinate_events ORDER BY id DESC LIMIT 10000
),
durations AS (
    SELECT j.task_name, extract(epoch FROM ended.at - started.at) AS seconds
    FROM recent_events ended
    JOIN LATERAL (
        SELECT max(s.at) AS at FROM recent_events s
        WHERE s.job_id = ended.job_id AND s.type = 'started' AND s.at <= ended.at
    ) started ON started.at IS NOT NULL
    JOIN procrastinate_jobs j ON j.id = ended.job_id
    WHERE ended.type IN ('succeeded', 'failed') AND ended.at > now() - interval '15 minutes'
)
SELECT 'job_seconds', ARRAY[task_name, quantile::text], percentile_cont(quantile) WITHIN GROUP (ORDER BY seconds)
FROM durations, unnest(ARRAY[0.5, 0.95, 1]) AS quantile GROUP BY task_name, quantile
UNION ALL
SELECT 'failed_jobs', ARRAY[task_name::text], count(*) FROM procrastinate_jobs WHERE status = 'failed' GROUP BY task_name
UNION ALL
SELECT 'messages_waiting', ARRAY[waiting_for], count(*) FROM engagement_message_queue
WHERE status = 'pending' GROUP BY waiting_for
UNION ALL
SELECT 'message_oldest_due_seconds', ARRAY[]::text[], greatest(extract(epoch FROM now() - min(scheduled_for)), 0)
FROM engagement_message_queue WHERE status = 'pending'
UNION ALL
SELECT 'messages_failed', ARRAY[]::text[], count(*) FROM engagement_message_queue WHERE status = 'failed'
UNION ALL
SELECT 'messages_sent_recently', ARRAY[]::text[], count(*)
FROM (SELECT sent_at FROM engagement_message_queue ORDER BY id DESC LIMIT 10000) newest
WHERE sent_at > now() - interval '15 minutes'
UNION ALL
SELECT 'transport_failures', ARRAY[name::text], failures FROM engagement_transports
UNION ALL
SELECT 'transport_open', ARRAY[name::text], (opened_at IS NOT NULL)::integer FROM engagement_transports
UNION ALL
SELECT 'backlog_deficit', ARRAY[]::text[], coalesce(sum(deficit), 0) FROM due_fallback_projects('infinity')
UNION ALL
SELECT 'proposals_waiting', ARRAY[]::text[], count(*) FROM mission_fallback_items WHERE status = 'proposed'
UNION ALL
SELECT 'audit_seal_age_seconds', ARRAY[]::text[], extract(epoch FROM now() - sealed_at)
FROM (SELECT sealed_at FROM audit_blocks ORDER BY number DESC LIMIT 1) newest
UNION ALL
SELECT 'audit_unsealed_seconds', ARRAY[]::text[],
    coalesce((SELECT extract(epoch FROM now() - occurred_at) FROM audit_entries
              WHERE id = (SELECT min(entry_id) FROM audit_pending)), 0)
