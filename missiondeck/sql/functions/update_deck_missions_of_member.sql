-- Missions follow the new address of their assignee. A member whose new address matches unassigned missions gets them.
-- SECURITY DEFINER, because members are also changed by roles that may not write missions.
CREATE OR REPLACE FUNCTION update_deck_missions_of_member() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE deck_missions SET assigned_to = NEW.email WHERE assignee_id = NEW.id;
    UPDATE deck_missions SET assignee_id = NEW.id
    WHERE assignee_id IS NULL AND lower(assigned_to) = lower(NEW.email);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION update_deck_missions_of_member() FROM PUBLIC;
