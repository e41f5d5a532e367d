-- Returns whether the member of a restricted request may join a mission: an open one, one they are invited to, or one that
-- has offered them a place; a policy calls it.
-- SECURITY DEFINER: the policies of the tables it reads would call it again.
CREATE OR REPLACE FUNCTION current_member_may_join(mission uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    SELECT EXISTS (
        SELECT FROM groups g, members p
        WHERE g.id = mission AND g.type = 'mission' AND p.id = current_member_id() AND p.is_active
          AND p.trust_score >= coalesce(g.min_trust_score, 0)
          AND (
              g.join_policy = 'open'
              OR EXISTS (
                  SELECT FROM join_requests r
                  WHERE r.group_id = g.id AND r.member_id = p.id
                    AND ((r.kind = 'invitation' AND r.status = 'open')
                         OR (r.status = 'offered' AND r.offered_until > now()))
              )
          )
    )
$$;
REVOKE EXECUTE ON FUNCTION current_member_may_join(uuid) FROM PUBLIC;
