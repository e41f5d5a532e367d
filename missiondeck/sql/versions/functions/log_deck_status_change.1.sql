-- Records every status change with the actor and the reason of the transaction, and what was missing for an override.
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
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION log_deck_status_change() FROM PUBLIC;
