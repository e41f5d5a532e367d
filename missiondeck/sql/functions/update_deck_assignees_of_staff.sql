-- Reassigns the missions of a member whose account became or is no longer a staff account.
CREATE OR REPLACE FUNCTION update_deck_assignees_of_staff() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM reassign_deck_missions(NEW.id);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION update_deck_assignees_of_staff() FROM PUBLIC;
