-- Allows one step forward, or one back with a reason. Complete needs that nothing is missing, or an override reason.
-- The mission row is locked before this trigger runs, and changes of items lock it too, so that no item is unticked
-- between the check and the commit.
CREATE OR REPLACE FUNCTION check_deck_status_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    missing jsonb;
BEGIN
    IF (OLD.status, NEW.status) NOT IN (('active', 'qa'), ('qa', 'complete'), ('qa', 'active'), ('complete', 'qa')) THEN
        RAISE EXCEPTION 'a client mission cannot change from % to %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'deck_missions_one_step';
    END IF;
    IF (OLD.status, NEW.status) IN (('qa', 'active'), ('complete', 'qa'))
        AND audit_reason() ~ '^\s*$'
    THEN
        RAISE EXCEPTION 'a step back needs a reason in app.reason'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'deck_missions_reason_required';
    END IF;
    IF NEW.status <> 'complete' THEN
        NEW.completed_at := NULL;
        NEW.completed_by_id := NULL;
        NEW.override_reason := '';
        RETURN NEW;
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        -- An older snapshot does not show items that were unticked since.
        RAISE EXCEPTION 'a mission can only be completed in READ COMMITTED, not %',
            current_setting('transaction_isolation')
            USING ERRCODE = 'check_violation', CONSTRAINT = 'deck_missions_complete_read_committed';
    END IF;
    NEW.completed_at := coalesce(NEW.completed_at, now());
    missing := deck_mission_missing(NEW.id);
    IF missing <> '[]' AND NEW.override_reason ~ '^\s*$' THEN
        RAISE EXCEPTION 'not done yet: %', missing
            USING ERRCODE = 'check_violation', CONSTRAINT = 'deck_missions_complete_is_done';
    END IF;
    RETURN NEW;
END $$;
