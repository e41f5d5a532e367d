-- What the role of the site may not write: states are written by triggers, and evidence changes only by being signed or removed.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE UPDATE, DELETE ON dod_evidence FROM missionsite_app;
        GRANT UPDATE (signed_by_id, signed_at, removed_at) ON dod_evidence TO missionsite_app;
        REVOKE INSERT, UPDATE, DELETE ON dod_evidence_changes FROM missionsite_app;
    END IF;
END $$;
