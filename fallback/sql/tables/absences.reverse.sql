DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE DELETE ON project_stars FROM missionsite_app;
    END IF;
END $$;
