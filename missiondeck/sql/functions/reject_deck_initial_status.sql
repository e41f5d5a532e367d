-- Rejects a new mission that is not active: completion is checked only for changes of the status.
CREATE OR REPLACE FUNCTION reject_deck_initial_status() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'a new client mission must be active, not %', NEW.status
        USING ERRCODE = 'check_violation', CONSTRAINT = 'deck_missions_begin_active';
END $$;
