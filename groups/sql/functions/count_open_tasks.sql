-- Counts the open tasks that a statement added or removed.
CREATE OR REPLACE FUNCTION count_open_tasks() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO mission_counters AS c (group_id, slot, open_task_count)
        SELECT group_id, pg_backend_pid(), count(*)::integer FROM new_rows WHERE state = 'open' GROUP BY group_id
        ON CONFLICT (group_id, slot) DO UPDATE SET open_task_count = c.open_task_count + excluded.open_task_count;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO mission_counters AS c (group_id, slot, open_task_count)
        SELECT group_id, pg_backend_pid(), -count(*)::integer FROM old_rows WHERE state = 'open' GROUP BY group_id
        ON CONFLICT (group_id, slot) DO UPDATE SET open_task_count = c.open_task_count + excluded.open_task_count;
    ELSE
        INSERT INTO mission_counters AS c (group_id, slot, open_task_count)
        SELECT group_id, pg_backend_pid(), sum(step)::integer
        FROM (
            SELECT group_id, 1 AS step FROM new_rows WHERE state = 'open'
            UNION ALL
            SELECT group_id, -1 FROM old_rows WHERE state = 'open'
        ) steps
        GROUP BY group_id HAVING sum(step) <> 0
        ON CONFLICT (group_id, slot) DO UPDATE SET open_task_count = c.open_task_count + excluded.open_task_count;
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION count_open_tasks() FROM PUBLIC;
