-- Returns the number of places of a mission that are taken: by its active members, and by offers to others that have not
-- ended.
-- SECURITY DEFINER: members do not see the requests of others.
CREATE OR REPLACE FUNCTION taken_places(mission uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    SELECT
        (SELECT count(*) FROM memberships WHERE group_id = mission AND status = 'active')
        + (
            SELECT count(*) FROM join_requests r
            WHERE r.group_id = mission AND r.status = 'offered' AND r.offered_until > now()
              AND NOT EXISTS (
                  SELECT FROM memberships m
                  WHERE m.group_id = mission AND m.member_id = r.member_id AND m.status = 'active'
              )
        )
$$;
REVOKE EXECUTE ON FUNCTION taken_places(uuid) FROM PUBLIC;
