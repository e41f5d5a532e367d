-- Append-only, as the entries of the audit.
CREATE OR REPLACE TRIGGER audit_details_append_only BEFORE UPDATE OR DELETE ON audit_details
    FOR EACH ROW EXECUTE FUNCTION reject_audit_change();
CREATE OR REPLACE TRIGGER audit_details_no_truncate BEFORE TRUNCATE ON audit_details
    FOR EACH STATEMENT EXECUTE FUNCTION reject_audit_change();
ALTER TABLE audit_details ENABLE ALWAYS TRIGGER audit_details_append_only;
ALTER TABLE audit_details ENABLE ALWAYS TRIGGER audit_details_no_truncate;
