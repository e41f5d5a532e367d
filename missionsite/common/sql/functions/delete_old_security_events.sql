-- Deletes the oldest entries of the security log, at most `most`: those from before `before`, and than 400 days ago in any case.
-- Returns their number. The audit keeps its own entry of each for as long.
CREATE OR REPLACE FUNCTION delete_old_security_events(before timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    number integer;
BEGIN
    PERFORM set_config('missionsite.deleting_security_events', 'on', true);
    DELETE FROM security_events WHERE id IN (
        SELECT id FROM security_events WHERE occurred_at < least(before, now() - interval '400 days')
        ORDER BY occurred_at, id LIMIT most
    );
    GET DIAGNOSTICS number = ROW_COUNT;
    PERFORM set_config('missionsite.deleting_security_events', '', true);
    RETURN number;
END $$;
REVOKE EXECUTE ON FUNCTION delete_old_security_events(timestamptz, integer) FROM PUBLIC;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT EXECUTE ON FUNCTION delete_old_security_events(timestamptz, integer) TO missionsite_app;
    END IF;
END $$;
