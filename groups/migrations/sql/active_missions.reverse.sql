-- The function counts rows again.
ALTER FUNCTION get_active_missions(uuid, integer) RESET ALL;
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
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT
        g.id, g.stable_id, g.name, g.description, g.min_trust_score,
        (SELECT count(*) FROM memberships m WHERE m.group_id = g.id AND m.status = 'active'),
        (SELECT count(*) FROM tasks t WHERE t.group_id = g.id AND t.state = 'open'),
        EXISTS (
            SELECT FROM memberships m
            WHERE m.group_id = g.id AND m.member_id = member_uuid AND m.status = 'active'
        ),
        member_trust_score >= coalesce(g.min_trust_score, 0)
    FROM groups g
    WHERE g.type = 'mission' AND g.status = 'active'
    ORDER BY g.min_trust_score, g.name, g.id;
END $$;
DROP FUNCTION active_missions(uuid, integer);
