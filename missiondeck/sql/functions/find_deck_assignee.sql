-- Sets the assignee by address, if the member may be an assignee. Called for every change of an assignee.
CREATE OR REPLACE FUNCTION find_deck_assignee() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    NEW.assignee_id := (SELECT id FROM members WHERE lower(email) = lower(NEW.assigned_to));
    IF NEW.assignee_id IS NOT NULL AND NOT may_be_deck_assignee(NEW.assignee_id) THEN
        NEW.assignee_id := NULL;
    END IF;
    RETURN NEW;
END $$;
