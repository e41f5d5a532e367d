-- Counts of members, memberships and open tasks per group, kept by triggers whoever writes.
--
-- A group's row has the merged counts, mission_counters the changes since, one row per (group, slot), where the slot is
-- the process number of the backend. Two connections never update the same row, so concurrent joins of one mission do
-- not wait and cannot deadlock here; the count is the sum. The merged columns are not model fields, so that saving a
-- group cannot write back an old count.
ALTER TABLE groups
    ADD COLUMN merged_member_count integer NOT NULL DEFAULT 0,
    ADD COLUMN merged_membership_count integer NOT NULL DEFAULT 0,
    ADD COLUMN merged_open_task_count integer NOT NULL DEFAULT 0;
ALTER TABLE mission_counters SET (fillfactor = 50);

CREATE VIEW mission_counts WITH (security_invoker = true) AS
SELECT
    g.id AS group_id,
    g.merged_member_count + coalesce(c.members, 0)::integer AS member_count,
    g.merged_membership_count + coalesce(c.memberships, 0)::integer AS membership_count,
    g.merged_open_task_count + coalesce(c.tasks, 0)::integer AS open_task_count
FROM groups g
LEFT JOIN (
    SELECT group_id, sum(member_count) AS members, sum(membership_count) AS memberships, sum(open_task_count) AS tasks
    FROM mission_counters GROUP BY group_id
) c ON c.group_id = g.id;

-- Merging does not change updated_at.
DROP TRIGGER groups_touch_updated_at ON groups;
CREATE TRIGGER groups_touch_updated_at BEFORE UPDATE ON groups
    FOR EACH ROW
    WHEN (
        OLD.* IS DISTINCT FROM NEW.*
        AND OLD.merged_member_count = NEW.merged_member_count
        AND OLD.merged_membership_count = NEW.merged_membership_count
        AND OLD.merged_open_task_count = NEW.merged_open_task_count
    )
    EXECUTE FUNCTION touch_updated_at();

-- Counts are read-only: only the functions here, which run as the table's owner, may change them.
CREATE FUNCTION reject_merged_count_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_user <> (SELECT relowner::regrole::text FROM pg_class WHERE oid = TG_RELID) THEN
        RAISE EXCEPTION 'the counts of group % are kept by the database', OLD.stable_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'groups_counts_read_only';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER groups_counts_read_only BEFORE UPDATE ON groups
    FOR EACH ROW
    WHEN (
        OLD.merged_member_count <> NEW.merged_member_count
        OR OLD.merged_membership_count <> NEW.merged_membership_count
        OR OLD.merged_open_task_count <> NEW.merged_open_task_count
    )
    EXECUTE FUNCTION reject_merged_count_change();

-- membership_count counts every row of memberships, member_count the active ones.
CREATE FUNCTION count_memberships() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO mission_counters AS c (group_id, slot, member_count, membership_count)
        SELECT group_id, pg_backend_pid(), (count(*) FILTER (WHERE status = 'active'))::integer, count(*)::integer
        FROM new_rows GROUP BY group_id
        ON CONFLICT (group_id, slot) DO UPDATE
            SET member_count = c.member_count + excluded.member_count,
                membership_count = c.membership_count + excluded.membership_count;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO mission_counters AS c (group_id, slot, member_count, membership_count)
        SELECT group_id, pg_backend_pid(), -(count(*) FILTER (WHERE status = 'active'))::integer, -count(*)::integer
        FROM old_rows GROUP BY group_id
        ON CONFLICT (group_id, slot) DO UPDATE
            SET member_count = c.member_count + excluded.member_count,
                membership_count = c.membership_count + excluded.membership_count;
    ELSE
        INSERT INTO mission_counters AS c (group_id, slot, member_count, membership_count)
        SELECT group_id, pg_backend_pid(), sum(member)::integer, sum(membership)::integer
        FROM (
            SELECT group_id, (status = 'active')::integer AS member, 1 AS membership FROM new_rows
            UNION ALL
            SELECT group_id, -(status = 'active')::integer, -1 FROM old_rows
        ) steps
        GROUP BY group_id HAVING sum(member) <> 0 OR sum(membership) <> 0
        ON CONFLICT (group_id, slot) DO UPDATE
            SET member_count = c.member_count + excluded.member_count,
                membership_count = c.membership_count + excluded.membership_count;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION count_open_tasks() RETURNS trigger
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

CREATE FUNCTION reset_counts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_TABLE_NAME = 'memberships' THEN
        UPDATE mission_counters SET member_count = 0, membership_count = 0
        WHERE member_count <> 0 OR membership_count <> 0;
        UPDATE groups SET merged_member_count = 0, merged_membership_count = 0
        WHERE merged_member_count <> 0 OR merged_membership_count <> 0;
    ELSE
        UPDATE mission_counters SET open_task_count = 0 WHERE open_task_count <> 0;
        UPDATE groups SET merged_open_task_count = 0 WHERE merged_open_task_count <> 0;
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
    FOR EACH STATEMENT EXECUTE FUNCTION reset_counts();
CREATE TRIGGER tasks_count_added AFTER INSERT ON tasks
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_open_tasks();
CREATE TRIGGER tasks_count_changed AFTER UPDATE ON tasks
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_open_tasks();
CREATE TRIGGER tasks_count_removed AFTER DELETE ON tasks
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_open_tasks();
CREATE TRIGGER tasks_count_truncated AFTER TRUNCATE ON tasks
    FOR EACH STATEMENT EXECUTE FUNCTION reset_counts();

-- Merges at most `at_most` slots into their groups' rows; returns how many. It skips locked rows, so it never waits;
-- one merge runs at a time.
CREATE FUNCTION merge_mission_counters(at_most integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    merged bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(19795, 0) THEN
        RETURN 0;
    END IF;
    WITH slots AS (
        SELECT group_id, slot FROM mission_counters ORDER BY group_id, slot LIMIT at_most FOR UPDATE SKIP LOCKED
    ), free AS (
        SELECT id FROM groups WHERE id IN (SELECT group_id FROM slots) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ), taken AS (
        DELETE FROM mission_counters c USING slots s, free f
        WHERE c.group_id = s.group_id AND c.slot = s.slot AND f.id = s.group_id
        RETURNING c.group_id, c.member_count, c.membership_count, c.open_task_count
    ), added AS (
        UPDATE groups g
        SET merged_member_count = g.merged_member_count + t.members,
            merged_membership_count = g.merged_membership_count + t.memberships,
            merged_open_task_count = g.merged_open_task_count + t.tasks
        FROM (SELECT group_id, sum(member_count)::integer AS members, sum(membership_count)::integer AS memberships,
                     sum(open_task_count)::integer AS tasks
              FROM taken GROUP BY group_id) t
        WHERE g.id = t.group_id
    )
    SELECT count(*) INTO merged FROM taken;
    RETURN merged;
END $$;

-- Groups whose counts differ from the rows; there should be none. Reads one snapshot, so writers do not matter.
CREATE FUNCTION mission_counter_drift()
RETURNS TABLE (
    group_id uuid,
    counted_members integer,
    members bigint,
    counted_memberships integer,
    memberships bigint,
    counted_tasks integer,
    open_tasks bigint
)
LANGUAGE sql STABLE
AS $$
    SELECT c.group_id, c.member_count, coalesce(m.members, 0), c.membership_count, coalesce(m.memberships, 0),
           c.open_task_count, coalesce(t.n, 0)
    FROM mission_counts c
    LEFT JOIN (
        SELECT group_id, count(*) AS memberships, count(*) FILTER (WHERE status = 'active') AS members
        FROM memberships GROUP BY group_id
    ) m ON m.group_id = c.group_id
    LEFT JOIN (SELECT group_id, count(*) AS n FROM tasks WHERE state = 'open' GROUP BY group_id) t
        ON t.group_id = c.group_id
    WHERE (c.member_count, c.membership_count, c.open_task_count)
        <> (coalesce(m.members, 0), coalesce(m.memberships, 0), coalesce(t.n, 0))
$$;

REVOKE EXECUTE ON FUNCTION count_memberships(), count_open_tasks(), reset_counts(), merge_mission_counters(integer)
    FROM PUBLIC;
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE INSERT, UPDATE, DELETE ON mission_counters FROM missionsite_app;
        GRANT EXECUTE ON FUNCTION merge_mission_counters(integer) TO missionsite_app;
    END IF;
END $$;

UPDATE groups g
SET merged_member_count = (SELECT count(*) FROM memberships m WHERE m.group_id = g.id AND m.status = 'active'),
    merged_membership_count = (SELECT count(*) FROM memberships m WHERE m.group_id = g.id),
    merged_open_task_count = (SELECT count(*) FROM tasks t WHERE t.group_id = g.id AND t.state = 'open');
SET CONSTRAINTS ALL IMMEDIATE;
