-- History is append-only: the site's role may insert and read, nothing else.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE UPDATE, DELETE ON members_history, groups_history, memberships_history, tasks_history
            FROM missionsite_app;
    END IF;
END $$;
