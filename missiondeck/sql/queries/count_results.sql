-- The number of a run's results that match the filters, at most one more than a limit. Used by selectors.runs.
SELECT count(*) FROM (
    SELECT FROM test_results r
    WHERE r.run_id = %(run)s AND (%(of_rank)s::smallint IS NULL OR r.rank = %(of_rank)s)
        AND (%(search)s = '' OR position(lower(%(search)s) IN lower(concat_ws(' ', r.test, r.result->>'suite'))) > 0)
    LIMIT %(limit)s + 1
) found
