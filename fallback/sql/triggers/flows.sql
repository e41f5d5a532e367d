-- Sets updated_at when a row changes.
CREATE OR REPLACE TRIGGER flows_touch_updated_at BEFORE UPDATE ON flows
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
