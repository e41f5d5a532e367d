-- Notices follow the status of runs.
CREATE OR REPLACE TRIGGER test_runs_notice AFTER INSERT ON test_runs
    FOR EACH ROW EXECUTE FUNCTION record_deck_notice();
CREATE OR REPLACE TRIGGER test_runs_status_notice AFTER UPDATE OF status ON test_runs
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION record_deck_notice();
