-- Sets updated_at when a row changes.
CREATE OR REPLACE TRIGGER actors_touch_updated_at BEFORE UPDATE ON actors
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
