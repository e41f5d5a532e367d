-- Missions whose stored dependency counts differ from their dependencies; used by the nightly job. Always empty.
CREATE OR REPLACE FUNCTION drifted_missions() RETURNS TABLE (mission_id varchar, actual integer[], stored integer[])
LANGUAGE sql STABLE
AS $$
    SELECT m.id, c.n, ARRAY[m.dependency_count, m.open_dependency_count]
    FROM missions m
    CROSS JOIN LATERAL (
        SELECT ARRAY[count(*), count(*) FILTER (WHERE d.list <> 'done')]::integer[] AS n
        FROM mission_dependencies x JOIN missions d ON d.id = x.depends_on_id WHERE x.mission_id = m.id
    ) c
    WHERE c.n <> ARRAY[m.dependency_count, m.open_dependency_count]
$$;
