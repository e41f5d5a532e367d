-- Append-only, as the entries of the audit.
CREATE OR REPLACE TRIGGER audit_actors_append_only BEFORE UPDATE OR DELETE ON audit_actors
    FOR EACH ROW EXECUTE FUNCTION reject_audit_change();
CREATE OR REPLACE TRIGGER audit_actors_no_truncate BEFORE TRUNCATE ON audit_actors
    FOR EACH STATEMENT EXECUTE FUNCTION reject_audit_change();
ALTER TABLE audit_actors ENABLE ALWAYS TRIGGER audit_actors_append_only;
ALTER TABLE audit_actors ENABLE ALWAYS TRIGGER audit_actors_no_truncate;
