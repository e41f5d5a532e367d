-- What the site's role may do with tables the owner makes from now on. Append-only tables take rights back themselves.
-- Where the hosting gives a single role there is nothing to grant.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT USAGE ON SCHEMA public TO missionsite_app;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public
            GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO missionsite_app;
        ALTER DEFAULT PRIVILEGES IN SCHEMA public
            GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO missionsite_app;
        -- The migration record is older than this migration; the site only reads it.
        GRANT SELECT ON django_migrations TO missionsite_app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_member') AND current_user <> 'missionsite_member' THEN
        GRANT USAGE ON SCHEMA public TO missionsite_member;
    END IF;
END $$;

-- The member a restricted request runs as; NULL when no one is set. An unset-then-reset setting reads ''.
CREATE FUNCTION current_member_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('app.member_id', true), '')::uuid $$;
