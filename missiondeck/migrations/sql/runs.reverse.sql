DROP TRIGGER test_runs_paginate_logs ON test_runs;
DROP TRIGGER test_runs_paginate_logs_new ON test_runs;
DROP FUNCTION paginate_test_run_logs();
DROP FUNCTION paginate_logs(uuid, text);
ALTER TABLE test_runs ALTER COLUMN logs SET STORAGE EXTENDED;
DROP TRIGGER test_runs_update_latest ON test_runs;
DROP FUNCTION update_latest_run();
DROP TRIGGER test_runs_finish ON test_runs;
DROP FUNCTION finish_test_run();
DROP FUNCTION flaky_tests_of(uuid, timestamptz, uuid, jsonb);
DROP FUNCTION test_identity(jsonb);
ALTER TABLE test_runs
    DROP CONSTRAINT test_runs_results_bounded,
    DROP CONSTRAINT test_runs_logs_bounded,
    DROP CONSTRAINT test_runs_finished_at_consistent,
    DROP CONSTRAINT test_runs_summary_fits_results,
    DROP CONSTRAINT test_runs_status_follows_from_results,
    DROP CONSTRAINT test_runs_warnings_shape,
    DROP CONSTRAINT test_runs_results_shape,
    DROP CONSTRAINT test_runs_summary_shape;
DROP FUNCTION test_summary_fits(jsonb, jsonb);
DROP FUNCTION test_run_outcome(jsonb, jsonb);
DROP FUNCTION test_results_valid(jsonb);
DROP FUNCTION test_summary_valid(jsonb);
ALTER TABLE chat_messages DROP CONSTRAINT chat_messages_code_blocks_shape;
DROP FUNCTION deck_code_blocks_valid(jsonb);
