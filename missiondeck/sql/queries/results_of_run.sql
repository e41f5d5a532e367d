-- A page of a run's results, worst first, and the number of results that match the filters.
-- Used by selectors.runs.results_of.
WITH found AS MATERIALIZED (
    SELECT r.result, r.place, r.result ? 'flaky' OR test_identity(r.result) = ANY (t.flaky_tests) AS is_flaky
    FROM test_runs t, jsonb_array_elements(t.results) WITH ORDINALITY AS r (result, place)
    WHERE t.id = %(run)s
        AND (%(status)s = '' OR r.result->>'status' = %(status)s)
        AND (%(search)s = ''
            OR position(lower(%(search)s) IN lower(concat_ws(' ', test_identity(r.result), r.result->>'suite'))) > 0)
)
-- Returns the count also for a page after the last one.
SELECT counted.total, page.result
FROM (SELECT count(*) AS total FROM found) counted LEFT JOIN LATERAL (
    SELECT f.result || jsonb_build_object('is_flaky', f.is_flaky) AS result FROM found f
    ORDER BY array_position(ARRAY['error', 'failed', 'skipped', 'passed'], f.result->>'status'), f.place
    LIMIT %(limit)s OFFSET %(offset)s
) page ON true
