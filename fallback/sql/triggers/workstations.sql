-- Sets updated_at when a row changes.
CREATE OR REPLACE TRIGGER workstations_touch_updated_at BEFORE UPDATE ON workstations
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
