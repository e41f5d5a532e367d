-- The definition of done of a complete mission is locked. FOR SHARE waits for a concurrent completion.
CREATE OR REPLACE FUNCTION check_dod_open() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    mission_status text;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.mission_id <> NEW.mission_id THEN
        RAISE EXCEPTION 'an item cannot be moved to another mission'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'dod_items_mission_immutable';
    END IF;
    SELECT status INTO mission_status FROM deck_missions
    WHERE id = CASE WHEN TG_OP = 'DELETE' THEN OLD.mission_id ELSE NEW.mission_id END FOR SHARE;
    IF mission_status = 'complete' THEN
        RAISE EXCEPTION 'the mission is complete: its definition of done is locked'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'dod_items_closed';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
