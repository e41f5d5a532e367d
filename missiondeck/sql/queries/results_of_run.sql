-- A page of a run's results, worst first, from a row on, or before a row in the opposite order.
-- Used by selectors.runs.results_of.
SELECT page.rank, page.number, page.result || jsonb_build_object(
    'is_flaky', page.result ? 'flaky' OR page.test = ANY (t.flaky_tests), 'key', page.test_key
)
FROM test_runs t, (
    (SELECT r.* FROM test_results r
     WHERE r.run_id = %(run)s AND NOT %(backwards)s AND (r.rank, r.number) > (%(rank)s, %(number)s)
         AND (%(of_rank)s::smallint IS NULL OR r.rank = %(of_rank)s)
         AND (%(search)s = '' OR position(lower(%(search)s) IN lower(concat_ws(' ', r.test, r.result->>'suite'))) > 0)
     ORDER BY r.rank, r.number LIMIT %(limit)s)
    UNION ALL
    (SELECT r.* FROM test_results r
     WHERE r.run_id = %(run)s AND %(backwards)s AND (r.rank, r.number) < (%(rank)s, %(number)s)
         AND (%(of_rank)s::smallint IS NULL OR r.rank = %(of_rank)s)
         AND (%(search)s = '' OR position(lower(%(search)s) IN lower(concat_ws(' ', r.test, r.result->>'suite'))) > 0)
     ORDER BY r.rank DESC, r.number DESC LIMIT %(limit)s)
) page
WHERE t.id = %(run)s
ORDER BY page.rank, page.number
