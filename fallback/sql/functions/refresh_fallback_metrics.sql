-- Refreshes the materialized views of this app, without blocking readers, and records when.
-- SECURITY DEFINER: only the owner of a view may refresh it.
CREATE OR REPLACE FUNCTION refresh_fallback_metrics() RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
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
