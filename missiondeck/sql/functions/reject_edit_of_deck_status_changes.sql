-- Rejects changes of recorded status changes; they are deleted only with their mission.
CREATE OR REPLACE FUNCTION reject_edit_of_deck_status_changes() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM deck_missions WHERE id = OLD.mission_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'status changes are append-only: % rejected', TG_OP
        USING ERRCODE = 'check_violation', CONSTRAINT = 'deck_status_changes_append_only';
END $$;
