-- The site adds to the security log and reads it.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE UPDATE, DELETE ON security_events FROM missionsite_app;
    END IF;
END $$;
