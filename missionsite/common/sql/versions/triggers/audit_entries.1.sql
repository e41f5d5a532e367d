-- The audit is append-only, and the database sets time and leaf. ALWAYS: also in sessions with
-- session_replication_role = replica.
CREATE OR REPLACE TRIGGER audit_entries_stamp BEFORE INSERT ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION stamp_audit_entry();
CREATE OR REPLACE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION reject_audit_change();
CREATE OR REPLACE TRIGGER audit_entries_no_truncate BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION reject_audit_change();
ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entries_append_only;
ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entries_no_truncate;
