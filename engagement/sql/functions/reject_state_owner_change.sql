-- Rejects a change of a state's member: its transitions would no longer explain it.
CREATE OR REPLACE FUNCTION reject_state_owner_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'a state cannot be moved to another member'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'user_engagement_states_owner_immutable';
END $$;
