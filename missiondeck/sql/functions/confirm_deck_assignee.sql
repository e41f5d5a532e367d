-- Recomputes the assignee of client missions when a member's address is confirmed, or no longer is.
CREATE OR REPLACE FUNCTION confirm_deck_assignee() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM reassign_deck_missions(coalesce(NEW.user_id, OLD.user_id));
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION confirm_deck_assignee() FROM PUBLIC;
