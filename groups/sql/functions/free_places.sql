-- Returns the number of places of a mission that a newcomer can take: those that are not taken and that no one on the
-- waiting list waits for; NULL without a maximum. It can be negative.
-- SECURITY DEFINER: members do not see the requests of others.
CREATE OR REPLACE FUNCTION free_places(mission uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    SELECT CASE WHEN g.max_members IS NOT NULL THEN
        g.max_members - taken_places(g.id)
        - (SELECT count(*) FROM join_requests r WHERE r.group_id = g.id AND r.kind = 'waiting' AND r.status = 'open')
    END
    FROM groups g WHERE g.id = mission
$$;
REVOKE EXECUTE ON FUNCTION free_places(uuid) FROM PUBLIC;
