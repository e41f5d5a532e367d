-- Append-only, as the entries of the audit.
CREATE OR REPLACE TRIGGER audit_blocks_append_only BEFORE UPDATE OR DELETE ON audit_blocks
    FOR EACH ROW EXECUTE FUNCTION reject_audit_change();
CREATE OR REPLACE TRIGGER audit_blocks_no_truncate BEFORE TRUNCATE ON audit_blocks
    FOR EACH STATEMENT EXECUTE FUNCTION reject_audit_change();
ALTER TABLE audit_blocks ENABLE ALWAYS TRIGGER audit_blocks_append_only;
ALTER TABLE audit_blocks ENABLE ALWAYS TRIGGER audit_blocks_no_truncate;
