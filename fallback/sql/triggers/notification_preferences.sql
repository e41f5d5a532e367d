-- Sets updated_at when a row changes.
CREATE OR REPLACE TRIGGER notification_preferences_touch_updated_at BEFORE UPDATE ON notification_preferences
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
