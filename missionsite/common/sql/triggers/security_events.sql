-- The security log is append-only, and the database sets time and actor. ALWAYS: also in sessions with
-- session_replication_role = replica.
CREATE OR REPLACE TRIGGER security_events_stamp BEFORE INSERT ON security_events
    FOR EACH ROW EXECUTE FUNCTION stamp_log_row();
CREATE OR REPLACE TRIGGER security_events_append_only BEFORE UPDATE OR DELETE ON security_events
    FOR EACH ROW EXECUTE FUNCTION reject_security_event_change();
CREATE OR REPLACE TRIGGER security_events_no_truncate BEFORE TRUNCATE ON security_events
    FOR EACH STATEMENT EXECUTE FUNCTION reject_security_event_change();
ALTER TABLE security_events ENABLE ALWAYS TRIGGER security_events_append_only;
ALTER TABLE security_events ENABLE ALWAYS TRIGGER security_events_no_truncate;
