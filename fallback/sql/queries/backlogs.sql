-- The backlog of projects, counted up to the threshold, and the threshold (backlogs_of in selectors/missions.py).
-- Parameter: project_ids (array).
SELECT c.project_id, b.n, c.backlog_threshold
FROM mission_fallback_configs c
CROSS JOIN LATERAL (
    SELECT count(*) FROM (
        SELECT FROM missions m
        WHERE m.project_id = c.project_id AND m.list = 'todo' AND m.ready AND m.open_dependency_count = 0
        LIMIT c.backlog_threshold) x
) b (n)
WHERE c.project_id = ANY (%(project_ids)s)
