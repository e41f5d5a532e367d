-- The enabled templates whose scheduled day is today, in the time zone of their organisation, and that were not tried
-- on this day. The conditions of the project are those of due_fallback_projects(), without its cadence.
CREATE OR REPLACE FUNCTION due_fallback_schedules(at timestamptz DEFAULT CURRENT_TIMESTAMP)
RETURNS TABLE (project_id varchar, template_id varchar, day date)
LANGUAGE sql STABLE
AS $$
    SELECT t.project_id, t.id, d.day
    FROM mission_fallback_templates t
    JOIN mission_fallback_configs c ON c.project_id = t.project_id
        AND (c.status = 'active' OR (c.status = 'snoozed' AND c.snoozed_until <= at))
    JOIN projects r ON r.id = t.project_id AND r.status = 'active' AND r.fallback_enabled
    JOIN organizations o ON o.id = r.organization_id AND o.fallback_enabled
        AND r.rollout_bucket < o.fallback_rollout_percent
    CROSS JOIN LATERAL (SELECT (at AT TIME ZONE o.timezone)::date) d (day)
    WHERE t.enabled AND t.schedule <> '' AND t.last_scheduled_on IS DISTINCT FROM d.day
      AND CASE t.schedule
          WHEN 'weekly' THEN extract(isodow FROM d.day) = t.schedule_day
          -- In a shorter month, its last day counts.
          ELSE extract(day FROM d.day) = least(t.schedule_day,
              extract(day FROM date_trunc('month', d.day) + interval '1 month - 1 day'))
          END
$$;
