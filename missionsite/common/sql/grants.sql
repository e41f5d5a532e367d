-- Default privileges of the site's role on tables that the owner creates. Append-only tables revoke some of them.
-- With a single database role there is nothing to grant.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT USAGE ON SCHEMA public TO missionsite_app;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public
            GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO missionsite_app;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public
            GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO missionsite_app;
        -- The table of migrations exists already; the site only reads it.
        GRANT SELECT ON django_migrations TO missionsite_app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_member') AND current_user <> 'missionsite_member' THEN
        GRANT USAGE ON SCHEMA public TO missionsite_member;
    END IF;
END $$;
