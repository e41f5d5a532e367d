-- The database sets when an event of a mission happened and who caused it.
CREATE OR REPLACE TRIGGER mission_events_stamp BEFORE INSERT ON mission_events
    FOR EACH ROW EXECUTE FUNCTION stamp_log_row();
