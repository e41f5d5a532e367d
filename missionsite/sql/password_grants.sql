-- The site deletes the counts of an account that logged in, and those that no longer matter.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON password_delays TO missionsite_app;
    END IF;
END $$;
