DROP TRIGGER members_staff_in_deck ON members;
DROP FUNCTION update_deck_assignees_of_staff();
DROP TRIGGER community_members_assignees ON community_members;
DROP FUNCTION update_deck_assignees_of_entry();
DROP TRIGGER community_members_assignees_new ON community_members;
DROP FUNCTION clear_deck_assignees_of_new_entries();
DROP FUNCTION reassign_deck_missions(uuid);
CREATE OR REPLACE FUNCTION find_deck_assignee() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    NEW.assignee_id := (SELECT id FROM members WHERE lower(email) = lower(NEW.assigned_to));
    RETURN NEW;
END $$;
DROP FUNCTION may_be_deck_assignee(uuid);
UPDATE deck_missions d SET assignee_id = m.id
FROM members m WHERE d.assignee_id IS NULL AND lower(m.email) = lower(d.assigned_to);
