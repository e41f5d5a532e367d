-- Records the outcome of the open forecasts of a project: the day on which as many missions were finished as were ready
-- (emptied_on), or, once the day of P85 has passed without it, that the outcome is known (closed_on).
-- Parameters: project_id, today, zone.
WITH finished AS MATERIALIZED (
    SELECT finished_at, (finished_at AT TIME ZONE %(zone)s)::date AS day
    FROM finished_missions(ARRAY[%(project_id)s::text])
), outcomes AS (
    SELECT o.id, (
        SELECT f.day FROM finished f WHERE f.finished_at > o.made_at
        ORDER BY f.finished_at OFFSET o.backlog - 1 LIMIT 1
    ) AS day
    FROM mission_forecasts o
    WHERE o.project_id = %(project_id)s AND o.emptied_on IS NULL AND o.closed_on IS NULL
)
UPDATE mission_forecasts m SET emptied_on = o.day, closed_on = CASE WHEN o.day IS NULL THEN %(today)s::date END
FROM outcomes o
WHERE o.id = m.id AND (o.day IS NOT NULL OR m.p85_on < %(today)s::date)
