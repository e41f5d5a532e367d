-- How the tests of a run ended. quarantined: failures of tests that are in quarantine now. is_excused: whether the run
-- failed, but only such tests: it passed otherwise, was not given up, and its summary has no other failure.
-- The counts of a finished run are those of its summary, which test_runs_summary_fits_results compares with its results.
CREATE OR REPLACE FUNCTION deck_run_counts(of_run uuid) RETURNS TABLE (
    passed bigint, failures bigint, quarantined bigint, is_excused boolean
)
LANGUAGE sql STABLE SET search_path = public, pg_temp
AS $$
    SELECT c.passed, c.failures, q.quarantined,
           t.status = 'failed' AND NOT t.is_given_up AND c.passed > 0 AND c.failures > 0
           AND q.quarantined = c.failures AND NOT EXISTS (
               SELECT FROM jsonb_each(CASE jsonb_typeof(t.summary) WHEN 'object' THEN t.summary ELSE '{}' END) AS e (key, value)
               WHERE key LIKE '%\_passed'
                   AND (t.summary->>(left(key, -6) || 'total'))::numeric - (value #>> '{}')::numeric > c.failures
           )
    FROM test_runs t, LATERAL (
        SELECT t.status <> 'running' AND coalesce(t.summary ?& ARRAY['passed', 'failed', 'errors'], false) AS has_counts
    ) s, LATERAL (
        SELECT CASE WHEN s.has_counts THEN (t.summary->>'passed')::numeric::bigint ELSE (
                   SELECT count(*) FROM test_results r WHERE r.run_id = t.id AND r.rank = 3
               ) END AS passed,
               CASE WHEN s.has_counts THEN (t.summary->>'failed')::numeric::bigint + (t.summary->>'errors')::numeric::bigint
               ELSE (SELECT count(*) FROM test_results r WHERE r.run_id = t.id AND r.rank < 2) END AS failures
    ) c, LATERAL (
        SELECT count(*) AS quarantined FROM deck_tests d
        JOIN test_results r ON r.run_id = t.id AND r.test_key = md5(d.test)::uuid AND r.rank < 2
        WHERE d.mission_id = t.mission_id AND d.quarantined_until > now()
    ) q
    WHERE t.id = of_run
$$;
