-- Maintains the latest run of each mission: the one of the newest commit, else the one that started last.
CREATE OR REPLACE FUNCTION update_latest_run() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO deck_latest_runs AS l (mission_id, run_id, status, created_at)
    SELECT mission_id, id, status, created_at FROM test_runs WHERE mission_id = NEW.mission_id
    ORDER BY ordered_at DESC, coalesce(started_at, created_at) DESC, created_at DESC, id DESC LIMIT 1
    ON CONFLICT (mission_id) DO UPDATE
    SET run_id = excluded.run_id, status = excluded.status, created_at = excluded.created_at;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION update_latest_run() FROM PUBLIC;
