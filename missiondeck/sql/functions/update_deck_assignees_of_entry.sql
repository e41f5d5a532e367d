-- An entry is approved, banned, removed, restored or linked to another account. By name this trigger runs before
-- community_members_erased_in_deck.
CREATE OR REPLACE FUNCTION update_deck_assignees_of_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM reassign_deck_missions(OLD.person_id) WHERE OLD.person_id IS DISTINCT FROM NEW.person_id;
    PERFORM reassign_deck_missions(NEW.person_id);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION update_deck_assignees_of_entry() FROM PUBLIC;
