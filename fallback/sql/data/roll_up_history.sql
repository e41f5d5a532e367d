-- The figures of the days before the triggers.
INSERT INTO fallback_proposal_rollups (project_id, template_id, day, generated, accepted, discarded)
SELECT project_id, template_id, day, sum(made), sum(accepted), sum(discarded) FROM (
    SELECT i.project_id, i.template_id, (i.created_at AT TIME ZONE o.timezone)::date AS day,
        1 AS made, 0 AS accepted, 0 AS discarded
    FROM mission_fallback_items i JOIN projects p ON p.id = i.project_id JOIN organizations o ON o.id = p.organization_id
    UNION ALL
    SELECT i.project_id, i.template_id, (i.reviewed_at AT TIME ZONE o.timezone)::date,
        0, (i.status = 'accepted')::integer, (i.status = 'discarded')::integer
    FROM mission_fallback_items i JOIN projects p ON p.id = i.project_id JOIN organizations o ON o.id = p.organization_id
    WHERE i.reviewed_at IS NOT NULL
) x GROUP BY 1, 2, 3;
INSERT INTO fallback_backlog_rollups (project_id, day, samples, enough, backlog_sum, threshold_sum)
SELECT s.project_id, (s.sampled_at AT TIME ZONE o.timezone)::date, count(*),
    count(*) FILTER (WHERE s.backlog_count >= s.backlog_threshold), sum(s.backlog_count), sum(s.backlog_threshold)
FROM mission_fallback_samples s JOIN projects p ON p.id = s.project_id JOIN organizations o ON o.id = p.organization_id
GROUP BY 1, 2;
