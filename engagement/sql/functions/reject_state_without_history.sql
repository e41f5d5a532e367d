-- Rejects a first state other than active. A row with another state needs transitions that lead there, as in a fixture.
CREATE OR REPLACE FUNCTION reject_state_without_history() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF NEW.state IS DISTINCT FROM (
        SELECT t.to_state FROM engagement_state_transitions t WHERE t.user_id = NEW.user_id
        ORDER BY t.created_at DESC, t.id DESC LIMIT 1
    ) THEN
        RAISE EXCEPTION 'the first state of a member is active, not %', NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'user_engagement_states_initial_active';
    END IF;
    RETURN NEW;
END $$;
