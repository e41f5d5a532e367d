-- The database sets when an event happened and who caused it.
CREATE OR REPLACE TRIGGER events_stamp BEFORE INSERT ON events
    FOR EACH ROW EXECUTE FUNCTION stamp_log_row();
