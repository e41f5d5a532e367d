-- What the role of the site may not write: allowances are written by a trigger only, timelines are append-only.
-- Rows of timelines are deleted only with their mission or project.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE INSERT, UPDATE, DELETE ON mission_fallback_allowances FROM missionsite_app;
        REVOKE UPDATE, DELETE ON mission_events, project_activity, audit_events FROM missionsite_app;
    END IF;
END $$;
