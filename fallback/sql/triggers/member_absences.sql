-- Sets updated_at when a row changes.
CREATE OR REPLACE TRIGGER member_absences_touch_updated_at BEFORE UPDATE ON member_absences
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
