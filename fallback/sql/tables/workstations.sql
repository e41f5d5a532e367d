-- A daemon replaces its list of projects and its list of clones. The site deletes no rows of other tables.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        -- Created with the default privileges.
        REVOKE DELETE ON mission_comments, mission_forecasts, notification_settings FROM missionsite_app;
        GRANT DELETE ON project_workstations, workstation_repositories TO missionsite_app;
    END IF;
END $$;
