-- Results of test runs as rows.
CREATE OR REPLACE TRIGGER test_runs_store_new_results AFTER INSERT ON test_runs
    FOR EACH ROW WHEN (NEW.results IS NOT NULL) EXECUTE FUNCTION store_test_results();
CREATE OR REPLACE TRIGGER test_runs_store_results AFTER UPDATE OF results ON test_runs
    FOR EACH ROW WHEN (OLD.results IS DISTINCT FROM NEW.results) EXECUTE FUNCTION store_test_results();
