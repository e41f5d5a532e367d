-- Sets updated_at when a row changes.
CREATE OR REPLACE TRIGGER mission_assignments_touch_updated_at BEFORE UPDATE ON mission_assignments
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
