-- The state of each piece of evidence of a mission, and the run that decides it:
-- met; failed: a test or suite is red; missing: no such test or suite ran, or no one signed; pending: a run is not finished.
-- Of a test that ran in several suites, its newest run in each environment decides. A quarantine is no evidence.
CREATE OR REPLACE FUNCTION dod_evidence_states(of_mission uuid) RETURNS TABLE (evidence_id uuid, state text, run_id uuid)
LANGUAGE sql STABLE SET search_path = public, pg_temp
AS $$
    WITH evidence AS MATERIALIZED (
        SELECT e.id, e.kind, e.value, e.signed_at, md5(e.value)::uuid AS test_key,
               replace(replace(replace(replace(e.value, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%') AS pattern
        FROM dod_evidence e JOIN dod_items i ON i.id = e.item_id WHERE i.mission_id = of_mission AND e.removed_at IS NULL
    ), newest AS MATERIALIZED (
        SELECT * FROM deck_newest_runs(of_mission)
        WHERE EXISTS (SELECT FROM evidence WHERE kind IN ('test', 'suite'))
    ), matched AS (
        SELECT e.id, r.test_key, n.environment, n.run_id, n.place, n.status, n.is_given_up, r.rank
        FROM evidence e CROSS JOIN newest n JOIN test_results r ON r.run_id = n.run_id AND r.test_key = e.test_key
        WHERE e.kind = 'test'
        UNION ALL
        SELECT e.id, r.test_key, n.environment, n.run_id, n.place, n.status, n.is_given_up, r.rank
        FROM evidence e CROSS JOIN newest n JOIN test_results r ON r.run_id = n.run_id AND r.test_key <> e.test_key
            AND (r.test LIKE e.pattern OR r.test LIKE '% › ' || e.pattern)
        WHERE e.kind = 'test'
    ), tests AS (
        SELECT DISTINCT ON (id, test_key, environment) id, run_id, place, status, is_bad, is_good FROM (
            SELECT id, test_key, environment, run_id, place, status, bool_or(rank < 2) AS is_bad,
                   bool_or(rank = 3) AND NOT is_given_up AS is_good
            FROM matched GROUP BY id, test_key, environment, run_id, place, status, is_given_up
        ) in_run ORDER BY id, test_key, environment, place
    ), suites AS (
        SELECT e.id, n.run_id, n.place, n.status, n.status = 'failed' AS is_bad, n.status = 'passed' AS is_good
        FROM evidence e JOIN newest n ON lower(n.suite) = lower(e.value) WHERE e.kind = 'suite'
    ), found AS (
        SELECT id, count(*) FILTER (WHERE is_bad) AS bad, count(*) FILTER (WHERE is_good) AS good,
               count(*) FILTER (WHERE status = 'running') AS running,
               (array_agg(run_id ORDER BY is_bad DESC, place))[1] AS run_id
        FROM (SELECT * FROM tests UNION ALL SELECT * FROM suites) each GROUP BY id
    )
    SELECT e.id, CASE
        WHEN e.kind = 'link' THEN 'met'
        WHEN e.kind = 'sign_off' THEN CASE WHEN e.signed_at IS NULL THEN 'missing' ELSE 'met' END
        WHEN f.bad > 0 THEN 'failed'
        WHEN f.running > 0 THEN 'pending'
        WHEN f.good > 0 THEN 'met'
        WHEN e.kind = 'test' AND EXISTS (SELECT FROM newest n WHERE n.status = 'running') THEN 'pending'
        ELSE 'missing'
    END, f.run_id
    FROM evidence e LEFT JOIN found f ON f.id = e.id
$$;
