-- One test in the latest runs of a mission, newest first; only runs that contain it.
-- Used by selectors.deck_tests.history_of.
SELECT t.id, t.status, t.created_at, t.job, t.environment, t.commit, h.*, h.test = ANY (t.flaky_tests)
FROM (
    SELECT * FROM test_runs WHERE mission_id = %(mission)s AND status <> 'running'
    ORDER BY ordered_at DESC, coalesce(started_at, created_at) DESC, created_at DESC, id DESC LIMIT %(runs)s
) t CROSS JOIN LATERAL (
    SELECT min(r.test) AS test,
           CASE WHEN bool_or(r.rank < 2) THEN 'failed' WHEN bool_or(r.rank = 3) THEN 'passed' ELSE 'skipped' END AS ended,
           max(r.duration) AS duration, bool_or(r.result ? 'flaky') AS is_retried,
           left(min(coalesce(nullif(r.result->>'error', ''), r.result->>'traceback')) FILTER (WHERE r.rank < 2), 500)
    FROM test_results r WHERE r.run_id = t.id AND r.test_key = %(key)s HAVING count(*) > 0
) h
ORDER BY t.ordered_at DESC, coalesce(t.started_at, t.created_at) DESC, t.created_at DESC, t.id DESC
