-- The evidence of a complete mission is locked, except for its states. FOR SHARE waits for a concurrent completion.
CREATE OR REPLACE FUNCTION check_dod_evidence_open() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    mission_status text;
BEGIN
    SELECT m.status INTO mission_status FROM dod_items i JOIN deck_missions m ON m.id = i.mission_id
    WHERE i.id = NEW.item_id FOR SHARE OF m;
    IF mission_status = 'complete' THEN
        RAISE EXCEPTION 'the mission is complete: its evidence is locked'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'dod_items_closed';
    END IF;
    RETURN NEW;
END $$;
