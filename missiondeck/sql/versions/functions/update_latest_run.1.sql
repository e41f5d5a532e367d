-- Maintains the latest run of each mission.
CREATE OR REPLACE FUNCTION update_latest_run() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO deck_latest_runs AS l (mission_id, run_id, status, created_at)
    VALUES (NEW.mission_id, NEW.id, NEW.status, NEW.created_at)
    ON CONFLICT (mission_id) DO UPDATE
    SET run_id = excluded.run_id, status = excluded.status, created_at = excluded.created_at
    WHERE (excluded.created_at, excluded.run_id) >= (l.created_at, l.run_id);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION update_latest_run() FROM PUBLIC;
