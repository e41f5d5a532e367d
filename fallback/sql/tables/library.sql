-- A copy goes with its template only.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE DELETE ON template_copies FROM missionsite_app;
    END IF;
END $$;
