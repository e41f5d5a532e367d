-- Adds the samples of a statement to the figures of their days, which outlive the samples.
CREATE OR REPLACE FUNCTION roll_up_samples() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO fallback_backlog_rollups AS r (project_id, day, samples, enough, backlog_sum, threshold_sum)
    SELECT n.project_id, (n.sampled_at AT TIME ZONE o.timezone)::date, count(*),
        count(*) FILTER (WHERE n.backlog_count >= n.backlog_threshold), sum(n.backlog_count), sum(n.backlog_threshold)
    FROM new_rows n JOIN projects p ON p.id = n.project_id JOIN organizations o ON o.id = p.organization_id
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (project_id, day) DO UPDATE SET samples = r.samples + EXCLUDED.samples,
        enough = r.enough + EXCLUDED.enough, backlog_sum = r.backlog_sum + EXCLUDED.backlog_sum,
        threshold_sum = r.threshold_sum + EXCLUDED.threshold_sum;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION roll_up_samples() FROM PUBLIC;
