-- Returns whether the member of a restricted request may join a mission; a policy calls it.
-- SECURITY DEFINER: the policies of the tables it reads would call it again.
CREATE OR REPLACE FUNCTION current_member_may_join(mission uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM groups g, members p
        WHERE g.id = mission AND g.type = 'mission' AND p.id = current_member_id() AND p.is_active
          AND p.trust_score >= coalesce(g.min_trust_score, 0)
    )
$$;
REVOKE EXECUTE ON FUNCTION current_member_may_join(uuid) FROM PUBLIC;
