-- Sets updated_at when a row changes.
CREATE OR REPLACE TRIGGER github_pull_requests_touch_updated_at BEFORE UPDATE ON github_pull_requests
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
