-- The database sets when an event of a project happened and who caused it.
CREATE OR REPLACE TRIGGER project_activity_stamp BEFORE INSERT ON project_activity
    FOR EACH ROW EXECUTE FUNCTION stamp_log_row();
