-- Merges the rows of each template and day, refreshes the materialized views of this app without blocking readers, and
-- records when. One refresh runs at a time.
-- SECURITY DEFINER: only the owner of a view may refresh it.
CREATE OR REPLACE FUNCTION refresh_fallback_metrics() RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('refresh_fallback_metrics'));
    WITH several AS (
        SELECT project_id, day, template_id FROM fallback_proposal_rollups GROUP BY 1, 2, 3 HAVING count(*) > 1
    ), removed AS (
        DELETE FROM fallback_proposal_rollups r USING several s
        WHERE (r.project_id, r.day, r.template_id) = (s.project_id, s.day, s.template_id)
        RETURNING r.*
    )
    INSERT INTO fallback_proposal_rollups (project_id, template_id, day, generated, accepted, discarded)
    SELECT project_id, template_id, day, sum(generated), sum(accepted), sum(discarded) FROM removed GROUP BY 1, 2, 3;
    REFRESH MATERIALIZED VIEW CONCURRENTLY mv_project_metrics_daily;
    REFRESH MATERIALIZED VIEW CONCURRENTLY mv_fallback_health;
    REFRESH MATERIALIZED VIEW CONCURRENTLY mv_notification_counts;
    INSERT INTO fallback_metrics_refreshes (id, refreshed_at) VALUES (1, CURRENT_TIMESTAMP)
    ON CONFLICT (id) DO UPDATE SET refreshed_at = EXCLUDED.refreshed_at;
END $$;
REVOKE EXECUTE ON FUNCTION refresh_fallback_metrics() FROM PUBLIC;
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT EXECUTE ON FUNCTION refresh_fallback_metrics() TO missionsite_app;
    END IF;
END $$;
