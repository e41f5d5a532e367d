-- What changed between two runs: the number of tests of each kind, and a page of one kind, slowest or by name.
-- A test that appears several times in a run has failed if one of them failed. Used by selectors.comparisons.changes_of.
WITH tests_now AS (
    SELECT test_key, min(test) AS test, bool_or(rank < 2) AS is_bad, bool_or(rank = 3) AS is_good,
           max(duration) AS duration, min(number) AS number
    FROM test_results WHERE run_id = %(run)s GROUP BY test_key
), tests_before AS (
    SELECT test_key, min(test) AS test, bool_or(rank < 2) AS is_bad, bool_or(rank = 3) AS is_good,
           max(duration) AS duration
    FROM test_results WHERE run_id = %(base)s GROUP BY test_key
), compared AS (
    SELECT test_key, coalesce(n.test, b.test) AS test, b.duration AS before, n.duration AS after, CASE
        WHEN n.is_bad AND b.is_bad THEN 'still_failing'
        WHEN n.is_bad THEN 'newly_failing'
        WHEN n.test_key IS NULL AND (b.is_bad OR b.is_good) THEN 'vanished'
        WHEN b.test_key IS NULL THEN 'new'
        WHEN n.is_good AND b.is_bad THEN 'fixed'
        WHEN NOT n.is_good AND (b.is_bad OR b.is_good) THEN 'skipped'
        WHEN n.is_good AND b.is_good AND n.duration >= b.duration * %(ratio)s
            AND n.duration - b.duration >= %(seconds)s THEN 'slower'
    END AS kind
    FROM tests_now n FULL JOIN tests_before b USING (test_key)
)
SELECT (SELECT jsonb_object_agg(kind, tests) FROM (
           SELECT kind, count(*) AS tests FROM compared WHERE kind IS NOT NULL GROUP BY kind
       ) counted) AS counts, page.*
FROM (VALUES (1)) AS once LEFT JOIN LATERAL (
    SELECT c.test, md5(c.test), c.before, c.after, (
        SELECT left(coalesce(nullif(r.result->>'error', ''), r.result->>'traceback'), 500) FROM test_results r
        WHERE r.run_id = %(run)s AND r.test_key = c.test_key AND r.rank < 2 ORDER BY r.number LIMIT 1
    )
    FROM compared c WHERE c.kind = %(kind)s
    ORDER BY CASE WHEN c.kind = 'slower' THEN c.before - c.after END, c.test LIMIT %(limit)s OFFSET %(offset)s
) page ON true
