-- The runs that decide whether a mission can be completed. If CI states commits: for the newest commit, the last attempt
-- of the last build of each suite and environment. Otherwise: the latest run, and the latest run of each required suite.
-- tests: how many tests ran. failures: without those of tests in quarantine.
CREATE OR REPLACE FUNCTION deck_gate_runs(of_mission uuid) RETURNS TABLE (
    run_id uuid, commit text, suite text, environment text, status text, is_latest boolean, is_given_up boolean,
    passed bigint, failures bigint, tests bigint, ran_at timestamptz
)
LANGUAGE sql STABLE SET search_path = public, pg_temp
AS $$
    WITH latest AS (
        SELECT t.id FROM test_runs t WHERE t.mission_id = of_mission
        ORDER BY t.ordered_at DESC, coalesce(t.started_at, t.created_at) DESC, t.created_at DESC, t.id DESC LIMIT 1
    ), target AS (
        SELECT t.commit FROM test_runs t WHERE t.mission_id = of_mission AND t.commit <> ''
        ORDER BY t.ordered_at DESC, coalesce(t.started_at, t.created_at) DESC, t.created_at DESC, t.id DESC LIMIT 1
    ), tried AS (
        SELECT t.id, t.job, t.environment, t.attempt, coalesce(t.started_at, t.created_at) AS began, t.created_at,
               min(coalesce(t.started_at, t.created_at)) OVER (PARTITION BY t.build_url, t.job, t.environment) AS build
        FROM test_runs t WHERE t.mission_id = of_mission AND CASE WHEN EXISTS (SELECT FROM target)
            THEN t.commit = (SELECT g.commit FROM target g)
            ELSE t.id = (SELECT l.id FROM latest l) OR lower(t.job) = ANY (
                SELECT lower(s) FROM deck_gate_rules r, unnest(r.required_suites) AS s WHERE r.mission_id = of_mission
            ) END
    ), decisive AS (
        SELECT DISTINCT ON (job, environment) id FROM tried
        ORDER BY job, environment, build DESC, attempt DESC, began DESC, created_at DESC, id DESC
    )
    SELECT t.id, t.commit, t.job, t.environment, t.status, t.id = (SELECT l.id FROM latest l), t.is_given_up,
           c.passed, c.failures - c.quarantined, c.passed + c.failures, coalesce(t.started_at, t.created_at)
    FROM decisive d JOIN test_runs t ON t.id = d.id, LATERAL deck_run_counts(t.id) c
$$;
