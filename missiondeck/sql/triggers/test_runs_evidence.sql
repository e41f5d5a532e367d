-- Evidence follows the runs. After test_runs_store_results, because triggers fire in the order of their names.
CREATE OR REPLACE TRIGGER test_runs_update_dod AFTER INSERT OR UPDATE OF status, results ON test_runs
    FOR EACH ROW EXECUTE FUNCTION follow_dod_evidence();
