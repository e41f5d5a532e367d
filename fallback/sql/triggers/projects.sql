-- Projects: time of the last change, and a lock that prevents deadlocks with writers.
CREATE OR REPLACE TRIGGER projects_touch_updated_at BEFORE UPDATE ON projects
    FOR EACH ROW EXECUTE FUNCTION touch_project();
CREATE OR REPLACE TRIGGER projects_exclusive_lock BEFORE DELETE ON projects
    FOR EACH STATEMENT EXECUTE FUNCTION take_exclusive_fallback_lock();
