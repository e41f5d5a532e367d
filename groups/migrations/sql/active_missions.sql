-- The active missions read from the counters. A plain SQL function plans into its caller, so a LIMIT stops early;
-- get_active_missions keeps its name, signature and language and wraps it.
CREATE FUNCTION active_missions(member_uuid uuid, member_trust_score integer)
RETURNS TABLE (
    id uuid,
    stable_id text,
    name varchar(255),
    description text,
    min_trust_score integer,
    member_count bigint,
    task_count bigint,
    is_member boolean,
    is_eligible boolean
)
LANGUAGE sql STABLE
AS $$
    SELECT
        g.id, g.stable_id, g.name, g.description, g.min_trust_score,
        (g.merged_member_count + coalesce(c.members, 0))::bigint,
        (g.merged_open_task_count + coalesce(c.tasks, 0))::bigint,
        EXISTS (
            SELECT FROM memberships m
            WHERE m.group_id = g.id AND m.member_id = member_uuid AND m.status = 'active'
        ),
        member_trust_score >= coalesce(g.min_trust_score, 0)
    FROM groups g
    LEFT JOIN (
        SELECT group_id, sum(member_count) AS members, sum(open_task_count) AS tasks
        FROM mission_counters GROUP BY group_id
    ) c ON c.group_id = g.id
    WHERE g.type = 'mission' AND g.status = 'active'
    ORDER BY g.min_trust_score, g.name, g.id
$$;

CREATE OR REPLACE FUNCTION get_active_missions(member_uuid uuid, member_trust_score integer)
RETURNS TABLE (
    id uuid,
    stable_id text,
    name varchar(255),
    description text,
    min_trust_score integer,
    member_count bigint,
    task_count bigint,
    is_member boolean,
    is_eligible boolean
)
LANGUAGE plpgsql STABLE
-- Reading all of them hashes what was counted since the last merging. Where the planner takes it for one row, a nested
-- loop would turn 10,000 such rows into 100 million comparisons.
SET enable_nestloop = off
AS $$
BEGIN
    RETURN QUERY SELECT * FROM active_missions(member_uuid, member_trust_score);
END $$;
