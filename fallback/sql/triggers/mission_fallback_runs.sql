-- Runs: derived fields, messages to listeners, and a lock that prevents deadlocks with writers.
CREATE OR REPLACE TRIGGER mission_fallback_runs_exclusive_lock BEFORE DELETE ON mission_fallback_runs
    FOR EACH STATEMENT EXECUTE FUNCTION take_exclusive_fallback_lock();
CREATE OR REPLACE TRIGGER mission_fallback_runs_derive BEFORE INSERT OR UPDATE ON mission_fallback_runs
    FOR EACH ROW EXECUTE FUNCTION derive_fallback_run();
CREATE OR REPLACE TRIGGER mission_fallback_runs_publish_new AFTER INSERT ON mission_fallback_runs
    FOR EACH ROW EXECUTE FUNCTION publish_fallback_run();
CREATE OR REPLACE TRIGGER mission_fallback_runs_publish AFTER UPDATE ON mission_fallback_runs
    FOR EACH ROW WHEN (OLD.payload <> NEW.payload) EXECUTE FUNCTION publish_fallback_run();
