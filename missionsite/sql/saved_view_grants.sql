-- The site deletes a saved view that its member deletes.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON site_saved_views TO missionsite_app;
    END IF;
END $$;
