-- Rejects a change of the log of transitions: it is append-only. Rows are deleted only with their member, and lose their
-- actor only when the actor is deleted.
CREATE OR REPLACE FUNCTION reject_transition_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM members WHERE id = OLD.user_id) THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.actor_id IS NOT NULL AND NEW.actor_id IS NULL
        AND to_jsonb(NEW) - 'actor_id' = to_jsonb(OLD) - 'actor_id'
        AND NOT EXISTS (SELECT FROM members WHERE id = OLD.actor_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'transitions are append-only: % rejected', TG_OP
        USING ERRCODE = 'check_violation', CONSTRAINT = 'engagement_state_transitions_append_only';
END $$;
