-- Sets updated_at when a row changes.
CREATE OR REPLACE TRIGGER project_repositories_touch_updated_at BEFORE UPDATE ON project_repositories
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
