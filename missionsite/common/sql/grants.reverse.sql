-- Revokes the default privileges; grants on tables are dropped with the tables.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        ALTER DEFAULT PRIVILEGES IN SCHEMA public
            REVOKE SELECT, INSERT, UPDATE, DELETE ON TABLES FROM missionsite_app;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public
            REVOKE USAGE, SELECT, UPDATE ON SEQUENCES FROM missionsite_app;
        REVOKE SELECT ON django_migrations FROM missionsite_app;
        REVOKE USAGE ON SCHEMA public FROM missionsite_app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_member') AND current_user <> 'missionsite_member' THEN
        REVOKE USAGE ON SCHEMA public FROM missionsite_member;
    END IF;
END $$;
