-- Recounts the dependencies of missions. The lock waits for other transactions that change the same counts.
CREATE OR REPLACE FUNCTION recount_dependencies(of_missions text[]) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM FROM missions WHERE id = ANY (of_missions) ORDER BY id FOR NO KEY UPDATE;
    UPDATE missions m SET dependency_count = c.every, open_dependency_count = c.open
    FROM unnest(of_missions) AS w (id)
    CROSS JOIN LATERAL (
        SELECT count(*) AS every, count(*) FILTER (WHERE d.list <> 'done') AS open
        FROM mission_dependencies x JOIN missions d ON d.id = x.depends_on_id WHERE x.mission_id = w.id
    ) c
    WHERE m.id = w.id AND (m.dependency_count, m.open_dependency_count) IS DISTINCT FROM (c.every, c.open);
END $$;
