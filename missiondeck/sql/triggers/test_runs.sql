-- Test runs: retries, outcome, the latest run of the mission, and pages of logs.
CREATE OR REPLACE TRIGGER test_runs_finish BEFORE INSERT OR UPDATE ON test_runs
    FOR EACH ROW EXECUTE FUNCTION finish_test_run();
CREATE OR REPLACE TRIGGER test_runs_update_latest AFTER INSERT OR UPDATE OF status ON test_runs
    FOR EACH ROW EXECUTE FUNCTION update_latest_run();
CREATE OR REPLACE TRIGGER test_runs_paginate_logs_new AFTER INSERT ON test_runs
    FOR EACH ROW WHEN (NEW.logs IS NOT NULL) EXECUTE FUNCTION paginate_test_run_logs();
CREATE OR REPLACE TRIGGER test_runs_paginate_logs AFTER UPDATE OF logs ON test_runs
    FOR EACH ROW WHEN (OLD.logs IS DISTINCT FROM NEW.logs) EXECUTE FUNCTION paginate_test_run_logs();
CREATE OR REPLACE TRIGGER test_runs_admit BEFORE INSERT ON test_runs
    FOR EACH ROW EXECUTE FUNCTION admit_test_run();
