-- What the role of the site may not write: comments on items are append-only.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE UPDATE, DELETE ON dod_comments FROM missionsite_app;
    END IF;
END $$;
