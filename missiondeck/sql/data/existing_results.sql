-- The results of existing test runs as rows.
SELECT add_test_results(id, results, 0) FROM test_runs WHERE jsonb_typeof(results) = 'array';
