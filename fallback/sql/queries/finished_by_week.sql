-- Missions finished in each week from Monday, with P50 and P85 of lead and cycle time in days (weekly_finished in
-- selectors/flow.py). The row without a week is the whole period. Only missions that were in Doing have a cycle time.
-- Parameters: project_ids (array), since, until (days, both included), zone.
SELECT date_trunc('week', finished_at AT TIME ZONE %(zone)s)::date AS week, count(*), count(started_at),
    percentile_cont(ARRAY[0.5, 0.85]) WITHIN GROUP (
        ORDER BY (extract(epoch FROM finished_at - created_at) / 86400)::float8),
    percentile_cont(ARRAY[0.5, 0.85]) WITHIN GROUP (
        ORDER BY (extract(epoch FROM finished_at - started_at) / 86400)::float8)
FROM finished_missions(%(project_ids)s)
WHERE (finished_at AT TIME ZONE %(zone)s)::date BETWEEN %(since)s AND %(until)s
GROUP BY GROUPING SETS ((date_trunc('week', finished_at AT TIME ZONE %(zone)s)::date), ())
ORDER BY week NULLS FIRST
