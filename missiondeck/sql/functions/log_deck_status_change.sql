-- Records every status change with the actor and the reason of the transaction, and what was missing for an override.
-- The runs of a mission that was completed without an override become its baseline.
-- SECURITY DEFINER, because the role of the site may not write to this table.
CREATE OR REPLACE FUNCTION log_deck_status_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    overridden CONSTANT boolean := NEW.status = 'complete' AND NEW.override_reason <> '';
BEGIN
    INSERT INTO deck_status_changes (mission_id, from_status, to_status, reason, is_override, missing, by_id)
    VALUES (
        NEW.id, OLD.status, NEW.status,
        CASE WHEN overridden THEN NEW.override_reason ELSE audit_reason() END,
        overridden,
        CASE WHEN overridden THEN deck_mission_missing(NEW.id) ELSE '[]' END,
        coalesce(NEW.completed_by_id, audit_actor_id())
    );
    IF NEW.status = 'complete' AND NOT overridden THEN
        INSERT INTO deck_gate_baselines (mission_id, runs, tests, by_id)
        SELECT NEW.id, array_agg(run_id), sum(tests), coalesce(NEW.completed_by_id, audit_actor_id())
        FROM deck_gate_runs(NEW.id) HAVING count(*) > 0;
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION log_deck_status_change() FROM PUBLIC;
