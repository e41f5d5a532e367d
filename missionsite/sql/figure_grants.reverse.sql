-- Restores the default privileges.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT DELETE ON site_figures TO missionsite_app;
    END IF;
END $$;
