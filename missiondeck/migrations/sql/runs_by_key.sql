-- When a report is a new run or a retry, and which runs must have passed to complete a mission.

-- A key identifies one run (test_runs_key_unique). A report without a key is a retry while the latest run of its mission
-- has the same bytes; after any other run it is a new run. The lock on the mission serializes inserts, so that concurrent
-- retries see each other and created_at follows the order of inserts, also within one transaction.
CREATE FUNCTION admit_test_run() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    latest record;
BEGIN
    PERFORM FROM deck_missions WHERE id = NEW.mission_id FOR NO KEY UPDATE;
    SELECT created_at, digest INTO latest FROM test_runs
    WHERE mission_id = NEW.mission_id ORDER BY created_at DESC, id DESC LIMIT 1;
    IF NEW.created_at = now() THEN
        NEW.created_at := greatest(clock_timestamp(), latest.created_at + interval '1 microsecond');
    END IF;
    IF NEW.digest <> '' AND NEW.import_key = '' AND NEW.digest = latest.digest THEN
        RAISE EXCEPTION 'this file was already imported as the latest run of the mission'
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'test_runs_file_unique';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER test_runs_admit BEFORE INSERT ON test_runs
    FOR EACH ROW EXECUTE FUNCTION admit_test_run();

-- As in runs.sql; a run that is inserted as finished gets created_at as its finish time. finished_at orders the runs.
CREATE OR REPLACE FUNCTION finish_test_run() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.status <> 'running' THEN
        RAISE EXCEPTION 'a finished test run cannot be changed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'test_runs_finished_immutable';
    END IF;
    IF TG_OP = 'UPDATE' AND (OLD.mission_id <> NEW.mission_id OR OLD.created_at <> NEW.created_at) THEN
        RAISE EXCEPTION 'the mission and the start time of a test run cannot be changed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'test_runs_mission_immutable';
    END IF;
    NEW.flaky_tests := '{}';
    IF NEW.status = 'running' THEN
        NEW.finished_at := NULL;
        RETURN NEW;
    END IF;
    NEW.finished_at := coalesce(NEW.finished_at, CASE WHEN TG_OP = 'INSERT' THEN NEW.created_at END, clock_timestamp());
    IF NEW.status = 'failed' AND jsonb_typeof(NEW.results) = 'array' THEN
        NEW.flaky_tests := flaky_tests_of(NEW.mission_id, NEW.created_at, NEW.id, NEW.results);
    END IF;
    RETURN NEW;
END $$;

-- As in missions.sql; for overlapping runs, both the run that started last and the run that ended last must have passed.
-- A running run counts as the last to end.
CREATE OR REPLACE FUNCTION deck_mission_missing(of_mission uuid) RETURNS jsonb
LANGUAGE sql VOLATILE SET search_path = public, pg_temp
AS $$
    WITH items AS (
        SELECT count(*) AS all_items, count(*) FILTER (WHERE NOT completed) AS open_items,
               (array_agg(text ORDER BY category, position, created_at, id) FILTER (WHERE NOT completed))[1:20] AS texts
        FROM dod_items WHERE mission_id = of_mission
    ), latest AS (
        SELECT id, status FROM test_runs WHERE mission_id = of_mission ORDER BY created_at DESC, id DESC LIMIT 1
    ), last_to_end AS (
        SELECT id, status FROM test_runs WHERE mission_id = of_mission
        ORDER BY finished_at DESC NULLS FIRST, created_at DESC, id DESC LIMIT 1
    )
    SELECT coalesce(jsonb_agg(reason ORDER BY place), '[]') FROM (
        SELECT 1 AS place, jsonb_build_object('what', 'no_items') AS reason FROM items WHERE all_items = 0
        UNION ALL
        SELECT 2, jsonb_build_object('what', 'open_items', 'count', open_items, 'items', to_jsonb(texts))
        FROM items WHERE open_items > 0
        UNION ALL
        SELECT 3, jsonb_build_object('what', 'no_test_run') WHERE NOT EXISTS (SELECT FROM latest)
        UNION ALL
        SELECT 4, jsonb_build_object('what', 'test_run', 'status', status) FROM latest WHERE status <> 'passed'
        UNION ALL
        SELECT 5, jsonb_build_object('what', 'earlier_test_run', 'status', e.status, 'run', e.id)
        FROM last_to_end e WHERE e.status <> 'passed' AND e.id <> (SELECT id FROM latest)
    ) reasons
$$;

-- Restores the backup table of the reverse migration. The trigger is disabled, because finished runs are immutable.
DO $$ BEGIN
    IF to_regclass('test_runs_import_key_backup') IS NOT NULL THEN
        ALTER TABLE test_runs DISABLE TRIGGER test_runs_finish;
        UPDATE test_runs t SET import_key = s.import_key, digest = s.digest
        FROM test_runs_import_key_backup s WHERE s.id = t.id;
        ALTER TABLE test_runs ENABLE TRIGGER test_runs_finish;
        DROP TABLE test_runs_import_key_backup;
    END IF;
END $$;
