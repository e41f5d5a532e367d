-- Returns the groups of the member of a restricted request; policies call it.
-- SECURITY DEFINER: a policy of memberships that reads memberships would call itself.
CREATE OR REPLACE FUNCTION current_member_groups() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    SELECT coalesce(array_agg(DISTINCT group_id), '{}')
    FROM memberships WHERE member_id = current_member_id() AND status = 'active'
$$;
REVOKE EXECUTE ON FUNCTION current_member_groups() FROM PUBLIC;
