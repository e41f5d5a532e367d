-- Organisations: time of the last change, and a valid time zone.
CREATE OR REPLACE TRIGGER organizations_touch_updated_at BEFORE UPDATE ON organizations
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
CREATE OR REPLACE TRIGGER organizations_timezone_valid BEFORE INSERT OR UPDATE OF timezone ON organizations
    FOR EACH ROW EXECUTE FUNCTION check_organization_timezone();
