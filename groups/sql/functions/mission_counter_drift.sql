-- Returns the groups whose counts differ from the rows; there should be none. Reads one snapshot, so writers do not
-- matter.
CREATE OR REPLACE FUNCTION mission_counter_drift()
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
