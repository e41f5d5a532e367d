-- The missions a project finished on each past day on which it had work: one was in Todo at the end of the day, or one
-- was finished (throughput_of in selectors/forecast.py). Oldest day first.
-- Parameters: project_ids (array), today, zone, days, finished (the period holds at least so many finished missions).
WITH finished AS (
    SELECT (finished_at AT TIME ZONE %(zone)s)::date AS day FROM finished_missions(%(project_ids)s)
), in_todo AS MATERIALIZED (
    SELECT (entered_at AT TIME ZONE %(zone)s)::date AS entered_on, (left_at AT TIME ZONE %(zone)s)::date AS left_on
    FROM mission_list_periods(%(project_ids)s) WHERE list = 'todo'
), bounds AS (
    SELECT least(%(today)s::date - %(days)s::int, (
        SELECT min(day) FROM (SELECT day FROM finished ORDER BY day DESC LIMIT %(finished)s) latest
    )) AS earliest, (SELECT min(entered_on) FROM in_todo) AS begun_on
), days AS (
    SELECT day::date AS day
    FROM bounds, generate_series(greatest(earliest, begun_on)::timestamp, %(today)s::timestamp - interval '1 day', '1 day') AS day
), counts AS (
    SELECT d.day, (SELECT count(*) FROM finished f WHERE f.day = d.day) AS number FROM days d
)
SELECT c.number FROM counts c
WHERE c.number > 0 OR EXISTS (
    SELECT FROM in_todo t WHERE t.entered_on <= c.day AND (t.left_on IS NULL OR t.left_on > c.day))
ORDER BY c.day
