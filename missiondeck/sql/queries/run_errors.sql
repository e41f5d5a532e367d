-- The failures of a run, grouped by error: the number of tests, the first error, and the first tests.
-- Used by selectors.comparisons.errors_of.
SELECT grouped.tests, left(coalesce(nullif(r.result->>'error', ''), r.result->>'traceback', ''), 500), grouped.named
FROM (
    SELECT error_key, count(*) AS tests, min(number) AS number,
           (array_agg(test ORDER BY number))[1:%(tests)s] AS named
    FROM test_results WHERE run_id = %(run)s AND rank < 2
    GROUP BY error_key ORDER BY count(*) DESC, min(number) LIMIT %(limit)s
) grouped JOIN test_results r ON r.run_id = %(run)s AND r.rank < 2 AND r.number = grouped.number
ORDER BY grouped.tests DESC, grouped.number
