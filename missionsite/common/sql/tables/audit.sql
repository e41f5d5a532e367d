-- The sealed audit is written by functions of the owner; the site only reads it. Entries that are not sealed yet are in a
-- table without indexes, so that writing costs little.
CREATE TABLE audit_pending (entry_id bigint NOT NULL);
COMMENT ON TABLE audit_pending IS 'Entries of the audit that are not sealed yet.';
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE ALL ON audit_entries, audit_details, audit_actors, audit_blocks, audit_pending FROM missionsite_app;
        GRANT SELECT ON audit_entries, audit_details, audit_actors, audit_blocks, audit_pending TO missionsite_app;
        REVOKE ALL ON SEQUENCE audit_entries_id_seq FROM missionsite_app;
        REVOKE DELETE ON retention_runs FROM missionsite_app;
    END IF;
END $$;
