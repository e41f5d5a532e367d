-- Recomputes the assignee of the missions of a member, and of unassigned missions with their address.
CREATE OR REPLACE FUNCTION reassign_deck_missions(of_member uuid) RETURNS void
LANGUAGE sql SET search_path = public, pg_temp
AS $$
    UPDATE deck_missions SET assignee_id = NULL WHERE assignee_id = of_member;
    UPDATE deck_missions d SET assignee_id = m.id
    FROM members m WHERE m.id = of_member AND d.assignee_id IS NULL AND lower(d.assigned_to) = lower(m.email);
$$;
REVOKE EXECUTE ON FUNCTION reassign_deck_missions(uuid) FROM PUBLIC;
