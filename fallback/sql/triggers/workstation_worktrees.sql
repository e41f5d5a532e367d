-- Sets updated_at when a row changes.
CREATE OR REPLACE TRIGGER workstation_worktrees_touch_updated_at BEFORE UPDATE ON workstation_worktrees
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
