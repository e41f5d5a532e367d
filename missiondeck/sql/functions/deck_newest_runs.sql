-- The newest run of each suite and environment of a mission, as evidence reads them: for the commit that ran last, the last
-- attempt of its last build. Runs without a commit are left out if CI ran a newer commit. place: 1 for the newest run.
CREATE OR REPLACE FUNCTION deck_newest_runs(of_mission uuid) RETURNS TABLE (
    run_id uuid, suite text, environment text, status text, is_given_up boolean, place bigint
)
LANGUAGE sql STABLE SET search_path = public, pg_temp
AS $$
    WITH ranked AS (
        SELECT t.id, t.job, t.environment, t.commit, t.attempt, t.status, t.is_given_up, t.ordered_at, t.created_at,
               coalesce(t.started_at, t.created_at) AS began,
               first_value(t.commit) OVER (
                   PARTITION BY t.job, t.environment
                   ORDER BY t.ordered_at DESC, coalesce(t.started_at, t.created_at) DESC, t.created_at DESC, t.id DESC
               ) AS newest_commit,
               min(coalesce(t.started_at, t.created_at)) OVER (
                   PARTITION BY t.commit, t.build_url, t.job, t.environment
               ) AS build,
               max(t.ordered_at) FILTER (WHERE t.commit <> '') OVER () AS newest_of_ci
        FROM test_runs t WHERE t.mission_id = of_mission
    ), chosen AS (
        SELECT DISTINCT ON (job, environment) * FROM ranked WHERE commit = newest_commit
        ORDER BY job, environment, CASE commit WHEN '' THEN ordered_at ELSE build END DESC, attempt DESC, began DESC,
                 created_at DESC, id DESC
    )
    SELECT id, job, environment, status, is_given_up,
           row_number() OVER (ORDER BY ordered_at DESC, began DESC, created_at DESC, id DESC)
    FROM chosen WHERE commit <> '' OR newest_of_ci IS NULL OR ordered_at > newest_of_ci
$$;
