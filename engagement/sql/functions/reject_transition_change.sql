-- Rejects a change of the log of transitions: it is append-only; rows are deleted only with their member.
CREATE OR REPLACE FUNCTION reject_transition_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM members WHERE id = OLD.user_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'transitions are append-only: % rejected', TG_OP
        USING ERRCODE = 'check_violation', CONSTRAINT = 'engagement_state_transitions_append_only';
END $$;
