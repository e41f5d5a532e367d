-- Constraints of test_runs that a model cannot declare; logs are stored uncompressed, so that a part of one is read alone.
ALTER TABLE test_runs
    ALTER COLUMN logs SET STORAGE EXTERNAL,
    ADD CONSTRAINT test_runs_summary_shape CHECK (summary IS NULL OR test_summary_valid(summary)),
    ADD CONSTRAINT test_runs_results_shape CHECK (results IS NULL OR test_results_valid(results)),
    ADD CONSTRAINT test_runs_warnings_shape CHECK (
        jsonb_typeof(warnings) = 'array' AND NOT jsonb_path_exists(warnings, 'strict $[*] ? (@.type() != "string")')
    ),
    ADD CONSTRAINT test_runs_status_follows_from_results
        CHECK (status = 'running' OR coalesce(status = test_run_outcome(summary, results), false)),
    ADD CONSTRAINT test_runs_summary_fits_results CHECK (status = 'running' OR test_summary_fits(summary, results)),
    ADD CONSTRAINT test_runs_finished_at_consistent CHECK ((status = 'running') = (finished_at IS NULL)),
    ADD CONSTRAINT test_runs_logs_bounded CHECK (octet_length(logs) <= 67108864),
    ADD CONSTRAINT test_runs_results_bounded CHECK (pg_column_size(results) <= 134217728);
