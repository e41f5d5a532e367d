-- A daemon replaces its list of projects and its list of clones.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT DELETE ON project_workstations, workstation_repositories TO missionsite_app;
    END IF;
END $$;
