-- Assigns the stable ID of a new member, or claims the given one. A function of its own, because the column is
-- member_id.
CREATE OR REPLACE FUNCTION assign_member_id() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF coalesce(NEW.member_id, '') = '' THEN
        NEW.member_id := next_stable_id('P');
    ELSE
        PERFORM claim_stable_id('P', NEW.member_id);
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION assign_member_id() FROM PUBLIC;
