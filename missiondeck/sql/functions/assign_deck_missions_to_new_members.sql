-- Assigns unassigned missions to new members with their address.
-- SECURITY DEFINER, because members are also created by roles that may not write missions.
CREATE OR REPLACE FUNCTION assign_deck_missions_to_new_members() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE deck_missions d SET assignee_id = n.id
    FROM new_rows n WHERE d.assignee_id IS NULL AND lower(d.assigned_to) = lower(n.email);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION assign_deck_missions_to_new_members() FROM PUBLIC;
