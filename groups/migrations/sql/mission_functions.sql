-- The active missions with their counts for one member, and the current members of a mission.
CREATE FUNCTION get_active_missions(member_uuid uuid, member_trust_score integer)
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
COMMENT ON FUNCTION get_active_missions IS
    'Active missions with member and open task counts, and whether this member belongs to them and may join.';

CREATE FUNCTION get_mission_members(mission_uuid uuid)
RETURNS TABLE (
    member_id uuid,
    email varchar(255),
    member_stable_id varchar(20),
    display_name varchar(255),
    role varchar(50),
    joined_at timestamptz
)
LANGUAGE plpgsql STABLE
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT p.id, p.email, p.member_id, p.display_name, m.role, m.joined_at
    FROM memberships m JOIN members p ON p.id = m.member_id
    WHERE m.group_id = mission_uuid AND m.status = 'active'
    ORDER BY m.joined_at, m.id;
END $$;
COMMENT ON FUNCTION get_mission_members IS 'The current members of a mission, in the order they joined.';
