-- The periods that the missions of these projects spent in each list; left_at is NULL for the list they are in now.
-- An event mission.moved has the old and the new list. Before its first move, a mission was in the old list of it since
-- it was created.
CREATE OR REPLACE FUNCTION mission_list_periods(project_ids text[])
RETURNS TABLE (mission_id varchar, project_id varchar, list text, entered_at timestamptz, left_at timestamptz)
LANGUAGE sql STABLE SET search_path = public, pg_temp
AS $$
    WITH moves AS (
        SELECT e.mission_id, e.id, e.occurred_at, e.payload #>> '{changed,list,0}' AS old_list,
            e.payload #>> '{changed,list,1}' AS new_list
        FROM mission_events e
        WHERE e.project_id = ANY ($1) AND e.type = 'mission.moved'
    ), first_moves AS (
        SELECT DISTINCT ON (v.mission_id) v.mission_id, v.old_list FROM moves v ORDER BY v.mission_id, v.occurred_at, v.id
    ), entries AS (
        SELECT m.id AS mission_id, '' AS id, coalesce(f.old_list, m.list) AS list, m.created_at AS entered_at
        FROM missions m LEFT JOIN first_moves f ON f.mission_id = m.id WHERE m.project_id = ANY ($1)
        UNION ALL
        SELECT v.mission_id, v.id, v.new_list, greatest(v.occurred_at, m.created_at)
        FROM moves v JOIN missions m ON m.id = v.mission_id
    ), periods AS (
        SELECT n.mission_id, n.list, n.entered_at, lead(n.entered_at) OVER (PARTITION BY n.mission_id
            ORDER BY n.entered_at, n.id) AS left_at
        FROM entries n
    )
    -- Moves of one transaction have the same time; the last list is that of the mission in any case.
    SELECT m.id, m.project_id, CASE WHEN p.left_at IS NULL THEN m.list ELSE p.list END, p.entered_at, p.left_at
    FROM periods p JOIN missions m ON m.id = p.mission_id
$$;
