-- The id, the number and the completion details of a mission are immutable.
CREATE OR REPLACE FUNCTION reject_deck_immutable_fields() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'the number and the completion details of a client mission cannot be changed'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'deck_missions_immutable_fields';
END $$;
