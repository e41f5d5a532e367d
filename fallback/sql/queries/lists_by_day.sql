-- The missions in each list at the end of each day (daily_lists in selectors/flow.py). Done counts those that came there
-- since the first day.
-- Parameters: project_ids (array), since, until (days, both included), zone.
WITH periods AS (
    SELECT list, (entered_at AT TIME ZONE %(zone)s)::date AS entered_on, (left_at AT TIME ZONE %(zone)s)::date AS left_on
    FROM mission_list_periods(%(project_ids)s)
), steps AS (
    SELECT list, greatest(entered_on, %(since)s::date) AS day, 1 AS step FROM periods
    WHERE list <> 'done' OR entered_on >= %(since)s::date
    UNION ALL
    SELECT list, greatest(left_on, %(since)s::date), -1 FROM periods
    WHERE left_on IS NOT NULL AND (list <> 'done' OR entered_on >= %(since)s::date)
    UNION ALL
    SELECT list, day::date, 0
    FROM unnest(ARRAY['todo', 'doing', 'review', 'done']) AS list,
        generate_series(%(since)s::timestamp, %(until)s::timestamp, '1 day') AS day
), sums AS (
    SELECT list, day, sum(sum(step)) OVER (PARTITION BY list ORDER BY day) AS number FROM steps GROUP BY list, day
)
SELECT day, jsonb_object_agg(list, number) FROM sums WHERE day <= %(until)s::date GROUP BY day ORDER BY day
