-- The current members of a mission, in the order they joined; signature and language of the seed.
CREATE OR REPLACE FUNCTION get_mission_members(mission_uuid uuid)
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
