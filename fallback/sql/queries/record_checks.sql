-- Records the checks of projects without a deficit, with a sample each (run_due in services/runs.py).
-- Parameters: project_ids, thresholds and backlogs (arrays of the same length), and at (timestamptz).
WITH checked AS (
    SELECT * FROM unnest(%(project_ids)s::text[], %(thresholds)s::integer[], %(backlogs)s::integer[])
        AS l (project_id, threshold, backlog)
), locked AS (
    -- A configuration that is locked or has been snoozed again is checked in the next minute.
    SELECT c.id FROM mission_fallback_configs c JOIN checked l ON l.project_id = c.project_id
    WHERE c.status <> 'snoozed' OR c.snoozed_until <= %(at)s
    ORDER BY c.id FOR UPDATE OF c SKIP LOCKED
), recorded AS (
    UPDATE mission_fallback_configs c SET last_run_at = %(at)s, snoozed_until = NULL,
        status = CASE WHEN c.status = 'snoozed' THEN 'active' ELSE c.status END
    FROM locked WHERE c.id = locked.id RETURNING c.project_id
)
INSERT INTO mission_fallback_samples (project_id, backlog_count, backlog_threshold, sampled_at)
SELECT l.project_id, l.backlog, l.threshold, %(at)s
FROM checked l JOIN recorded n ON n.project_id = l.project_id
