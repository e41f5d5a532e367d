-- The missions of these projects that are in Done, with the times they were created, first in Doing (NULL: never), and
-- last moved to Done. A mission that was created in Done, such as an imported one, took no time here and is left out.
CREATE OR REPLACE FUNCTION finished_missions(project_ids text[])
RETURNS TABLE (mission_id varchar, project_id varchar, created_at timestamptz, started_at timestamptz,
    finished_at timestamptz)
LANGUAGE sql STABLE SET search_path = public, pg_temp
AS $$
    SELECT p.mission_id, p.project_id, min(p.entered_at), min(p.entered_at) FILTER (WHERE p.list = 'doing'),
        max(p.entered_at) FILTER (WHERE p.list = 'done' AND p.left_at IS NULL)
    FROM mission_list_periods($1) p
    GROUP BY p.mission_id, p.project_id
    HAVING count(*) > 1 AND count(*) FILTER (WHERE p.list = 'done' AND p.left_at IS NULL) > 0
$$;
