-- Sets updated_at when a row changes.
CREATE OR REPLACE TRIGGER organization_memberships_touch_updated_at BEFORE UPDATE ON organization_memberships
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
