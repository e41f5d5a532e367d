-- All projects whose check is due, with backlog, open proposals and deficit.
-- Counting stops at the threshold, so that a project with a large backlog costs no more than one with a small one.
CREATE OR REPLACE FUNCTION due_fallback_projects(at timestamptz DEFAULT CURRENT_TIMESTAMP)
RETURNS TABLE (project_id varchar, backlog_threshold integer, backlog_count bigint, proposed_count bigint, deficit bigint)
LANGUAGE sql STABLE
AS $$
    SELECT c.project_id, c.backlog_threshold, b.n, coalesce(p.n, 0),
        greatest(0, c.backlog_threshold - b.n - coalesce(p.n, 0))
    FROM mission_fallback_configs c
    JOIN projects r ON r.id = c.project_id AND r.status = 'active' AND r.fallback_enabled
    JOIN organizations o ON o.id = r.organization_id AND o.fallback_enabled
        AND r.rollout_bucket < o.fallback_rollout_percent
    CROSS JOIN LATERAL (
        SELECT count(*) FROM (
            SELECT FROM missions m
            WHERE m.project_id = c.project_id AND m.list = 'todo' AND m.ready AND m.open_dependency_count = 0
            LIMIT c.backlog_threshold) x
    ) b (n)
    -- Open proposals are few: counted once for all projects, not once per project.
    LEFT JOIN (
        SELECT i.project_id, count(*) FROM mission_fallback_items i WHERE i.status = 'proposed' GROUP BY i.project_id
    ) p (project_id, n) ON p.project_id = c.project_id
    WHERE (c.status = 'active' OR (c.status = 'snoozed' AND c.snoozed_until <= at))
      AND (c.last_run_at IS NULL OR c.last_run_at + c.check_cadence_minutes * interval '1 minute' <= at)
$$;
