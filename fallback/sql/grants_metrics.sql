-- The figures are written by triggers and by the refresh only, and no one but the site reads the views.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE INSERT, UPDATE, DELETE ON fallback_proposal_rollups, fallback_backlog_rollups, fallback_metrics_refreshes
            FROM missionsite_app;
        REVOKE ALL ON mv_project_metrics_daily, mv_fallback_health, mv_notification_counts FROM missionsite_app;
        GRANT SELECT ON mv_project_metrics_daily, mv_fallback_health, mv_notification_counts TO missionsite_app;
    END IF;
END $$;
