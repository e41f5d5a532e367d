-- A page of a run's results, worst first, and the number of results that match the filters.
-- Used by selectors.runs.results_of.
WITH found AS NOT MATERIALIZED (
    SELECT r.rank, r.number, r.test, r.result FROM test_results r
    WHERE r.run_id = %(run)s
        AND (%(status)s = '' OR r.rank = array_position(ARRAY['error', 'failed', 'skipped', 'passed'], %(status)s) - 1)
        AND (%(search)s = ''
            OR position(lower(%(search)s) IN lower(concat_ws(' ', r.test, r.result->>'suite'))) > 0)
)
-- Returns the count also for a page after the last one.
SELECT counted.total, page.result
FROM (SELECT count(*) AS total FROM found) counted LEFT JOIN LATERAL (
    SELECT f.result || jsonb_build_object(
        'is_flaky', f.result ? 'flaky' OR f.test = ANY (t.flaky_tests), 'key', md5(f.test)
    ) AS result
    FROM test_runs t, (SELECT * FROM found ORDER BY rank, number LIMIT %(limit)s OFFSET %(offset)s) f
    WHERE t.id = %(run)s ORDER BY f.rank, f.number
) page ON true
