-- Active missions with counts from the counters, for one member. A SQL function is inlined into the caller's plan, so a
-- LIMIT stops early.
CREATE OR REPLACE FUNCTION active_missions(member_uuid uuid, member_trust_score integer)
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
