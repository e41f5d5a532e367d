-- Erases the data of a member when the directory erases their entry: former addresses in missions and history, and feeds.
-- Missions of the member follow the new address by the trigger members_update_deck_missions.
CREATE OR REPLACE FUNCTION erase_person_in_deck() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    erased CONSTANT text := 'erased-' || NEW.person_id || '@erased.invalid';
    emails CONSTANT text[] := ARRAY(
        SELECT lower(email) FROM members WHERE id = NEW.person_id
        UNION SELECT lower(email) FROM members_history WHERE pgh_obj_id = NEW.person_id
    );
BEGIN
    UPDATE deck_missions SET assigned_to = erased WHERE assignee_id IS NULL AND lower(assigned_to) = ANY (emails);
    UPDATE deck_missions_history SET assigned_to = erased
    WHERE assignee_id = NEW.person_id OR lower(assigned_to) = ANY (emails);
    DELETE FROM deck_feeds WHERE member_id = NEW.person_id;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION erase_person_in_deck() FROM PUBLIC;
