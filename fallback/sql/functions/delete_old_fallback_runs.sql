-- Deletes at most this many ended runs that started before a time, with their proposals, and returns how many.
-- SECURITY DEFINER: the role of the site may not delete runs; through this function none that is younger than 180 days.
CREATE OR REPLACE FUNCTION delete_old_fallback_runs(before timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    number integer;
BEGIN
    DELETE FROM mission_fallback_runs r WHERE r.id IN (
        SELECT o.id FROM mission_fallback_runs o
        WHERE o.started_at < least(before, CURRENT_TIMESTAMP - interval '180 days')
            AND o.status IN ('completed', 'cancelled', 'errored')
        ORDER BY o.id LIMIT most);
    GET DIAGNOSTICS number = ROW_COUNT;
    RETURN number;
END $$;
REVOKE EXECUTE ON FUNCTION delete_old_fallback_runs(timestamptz, integer) FROM PUBLIC;
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT EXECUTE ON FUNCTION delete_old_fallback_runs(timestamptz, integer) TO missionsite_app;
    END IF;
END $$;
