-- What the role of the site may write: observations of checks; files are immutable.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT UPDATE (observed, observed_at, detail) ON dod_evidence TO missionsite_app;
        REVOKE UPDATE, DELETE ON dod_evidence_files FROM missionsite_app;
    END IF;
END $$;
