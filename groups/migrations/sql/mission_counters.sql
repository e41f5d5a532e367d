-- Counts of members and open tasks per group, kept by triggers from any door.
--
-- A row is a share: (group, slot), the slot being the counting backend's process number. Two live connections never
-- touch the same share, so joins and leaves of one busy mission wait for nothing and cannot deadlock here; the count
-- is the sum. fold_mission_counters gathers the shares into slot 0.
ALTER TABLE mission_counters SET (fillfactor = 50);

CREATE FUNCTION count_memberships() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO mission_counters AS c (group_id, slot, member_count)
        SELECT group_id, pg_backend_pid(), count(*) FROM new_rows WHERE status = 'active' GROUP BY group_id
        ON CONFLICT (group_id, slot) DO UPDATE SET member_count = c.member_count + excluded.member_count;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO mission_counters AS c (group_id, slot, member_count)
        SELECT group_id, pg_backend_pid(), -count(*) FROM old_rows WHERE status = 'active' GROUP BY group_id
        ON CONFLICT (group_id, slot) DO UPDATE SET member_count = c.member_count + excluded.member_count;
    ELSE
        INSERT INTO mission_counters AS c (group_id, slot, member_count)
        SELECT group_id, pg_backend_pid(), sum(step)
        FROM (
            SELECT group_id, 1 AS step FROM new_rows WHERE status = 'active'
            UNION ALL
            SELECT group_id, -1 FROM old_rows WHERE status = 'active'
        ) steps
        GROUP BY group_id HAVING sum(step) <> 0
        ON CONFLICT (group_id, slot) DO UPDATE SET member_count = c.member_count + excluded.member_count;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION count_open_tasks() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO mission_counters AS c (group_id, slot, open_task_count)
        SELECT group_id, pg_backend_pid(), count(*) FROM new_rows WHERE state = 'open' GROUP BY group_id
        ON CONFLICT (group_id, slot) DO UPDATE SET open_task_count = c.open_task_count + excluded.open_task_count;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO mission_counters AS c (group_id, slot, open_task_count)
        SELECT group_id, pg_backend_pid(), -count(*) FROM old_rows WHERE state = 'open' GROUP BY group_id
        ON CONFLICT (group_id, slot) DO UPDATE SET open_task_count = c.open_task_count + excluded.open_task_count;
    ELSE
        INSERT INTO mission_counters AS c (group_id, slot, open_task_count)
        SELECT group_id, pg_backend_pid(), sum(step)
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

CREATE FUNCTION forget_counts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_TABLE_NAME = 'memberships' THEN
        UPDATE mission_counters SET member_count = 0 WHERE member_count <> 0;
    ELSE
        UPDATE mission_counters SET open_task_count = 0 WHERE open_task_count <> 0;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER memberships_count_added AFTER INSERT ON memberships
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_memberships();
CREATE TRIGGER memberships_count_changed AFTER UPDATE ON memberships
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_memberships();
CREATE TRIGGER memberships_count_removed AFTER DELETE ON memberships
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_memberships();
CREATE TRIGGER memberships_count_truncated AFTER TRUNCATE ON memberships
    FOR EACH STATEMENT EXECUTE FUNCTION forget_counts();
CREATE TRIGGER tasks_count_added AFTER INSERT ON tasks
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_open_tasks();
CREATE TRIGGER tasks_count_changed AFTER UPDATE ON tasks
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_open_tasks();
CREATE TRIGGER tasks_count_removed AFTER DELETE ON tasks
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_open_tasks();
CREATE TRIGGER tasks_count_truncated AFTER TRUNCATE ON tasks
    FOR EACH STATEMENT EXECUTE FUNCTION forget_counts();

-- Gathers at most `at_most` shares into slot 0 and returns how many. It skips a share that is being counted in, so it
-- never waits for a writer; one folder at a time.
CREATE FUNCTION fold_mission_counters(at_most integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    folded bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(19795, 0) THEN
        RETURN 0;
    END IF;
    WITH shares AS (
        SELECT group_id, slot FROM mission_counters WHERE slot <> 0
        ORDER BY group_id, slot LIMIT at_most FOR UPDATE SKIP LOCKED
    ), taken AS (
        DELETE FROM mission_counters c USING shares s WHERE c.group_id = s.group_id AND c.slot = s.slot
        RETURNING c.group_id, c.member_count, c.open_task_count
    ), gathered AS (
        INSERT INTO mission_counters AS c (group_id, slot, member_count, open_task_count)
        SELECT group_id, 0, sum(member_count), sum(open_task_count) FROM taken GROUP BY group_id
        ON CONFLICT (group_id, slot) DO UPDATE
            SET member_count = c.member_count + excluded.member_count,
                open_task_count = c.open_task_count + excluded.open_task_count
    )
    SELECT count(*) INTO folded FROM taken;
    RETURN folded;
END $$;

-- Groups whose counts are not what counting gives; none, ever. One snapshot, so writers do not disturb it.
CREATE FUNCTION mission_counter_drift()
RETURNS TABLE (group_id uuid, counted_members bigint, members bigint, counted_tasks bigint, open_tasks bigint)
LANGUAGE sql STABLE
AS $$
    SELECT g.id, coalesce(c.members, 0)::bigint, coalesce(m.n, 0), coalesce(c.tasks, 0)::bigint, coalesce(t.n, 0)
    FROM groups g
    LEFT JOIN (SELECT group_id, sum(member_count) AS members, sum(open_task_count) AS tasks
               FROM mission_counters GROUP BY group_id) c ON c.group_id = g.id
    LEFT JOIN (SELECT group_id, count(*) AS n FROM memberships WHERE status = 'active' GROUP BY group_id) m
        ON m.group_id = g.id
    LEFT JOIN (SELECT group_id, count(*) AS n FROM tasks WHERE state = 'open' GROUP BY group_id) t
        ON t.group_id = g.id
    WHERE (coalesce(c.members, 0), coalesce(c.tasks, 0)) <> (coalesce(m.n, 0), coalesce(t.n, 0))
$$;

REVOKE EXECUTE ON FUNCTION count_memberships(), count_open_tasks(), forget_counts(), fold_mission_counters(integer)
    FROM PUBLIC;
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE INSERT, UPDATE, DELETE ON mission_counters FROM missionsite_app;
        GRANT EXECUTE ON FUNCTION fold_mission_counters(integer) TO missionsite_app;
    END IF;
END $$;

INSERT INTO mission_counters (group_id, slot, member_count, open_task_count)
SELECT g.id, 0, coalesce(m.n, 0), coalesce(t.n, 0)
FROM groups g
LEFT JOIN (SELECT group_id, count(*) AS n FROM memberships WHERE status = 'active' GROUP BY group_id) m
    ON m.group_id = g.id
LEFT JOIN (SELECT group_id, count(*) AS n FROM tasks WHERE state = 'open' GROUP BY group_id) t ON t.group_id = g.id
WHERE m.n > 0 OR t.n > 0;
SET CONSTRAINTS ALL IMMEDIATE;
