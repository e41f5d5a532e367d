-- Counts the dependencies of existing missions, which no trigger counted.
UPDATE missions m SET dependency_count = c.every, open_dependency_count = c.open
FROM (
    SELECT x.mission_id AS id, count(*) AS every, count(*) FILTER (WHERE d.list <> 'done') AS open
    FROM mission_dependencies x JOIN missions d ON d.id = x.depends_on_id GROUP BY 1
) c
WHERE m.id = c.id AND (m.dependency_count, m.open_dependency_count) IS DISTINCT FROM (c.every, c.open);
