DROP TRIGGER test_runs_admit ON test_runs;
DROP FUNCTION admit_test_run();
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
    NEW.finished_at := coalesce(NEW.finished_at, clock_timestamp());
    IF NEW.status = 'failed' AND jsonb_typeof(NEW.results) = 'array' THEN
        NEW.flaky_tests := flaky_tests_of(NEW.mission_id, NEW.created_at, NEW.id, NEW.results);
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION deck_mission_missing(of_mission uuid) RETURNS jsonb
LANGUAGE sql VOLATILE SET search_path = public, pg_temp
AS $$
    WITH items AS (
        SELECT count(*) AS all_items, count(*) FILTER (WHERE NOT completed) AS open_items,
               (array_agg(text ORDER BY category, position, created_at, id) FILTER (WHERE NOT completed))[1:20] AS texts
        FROM dod_items WHERE mission_id = of_mission
    ), latest AS (
        SELECT status FROM test_runs WHERE mission_id = of_mission ORDER BY created_at DESC, id DESC LIMIT 1
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
    ) reasons
$$;

-- Removes keys. Before this migration a file was one run per mission: only the latest run of each file keeps its digest.
DO $$ BEGIN
    IF EXISTS (SELECT FROM test_runs WHERE import_key <> '')
        OR EXISTS (SELECT FROM test_runs WHERE digest <> '' GROUP BY mission_id, digest HAVING count(*) > 1)
    THEN
        CREATE TABLE test_runs_import_key_backup AS
        SELECT id, import_key, digest FROM test_runs t WHERE import_key <> '' OR EXISTS (
            SELECT FROM test_runs o WHERE o.mission_id = t.mission_id AND o.digest = t.digest AND t.digest <> ''
                AND o.id <> t.id
        );
        ALTER TABLE test_runs DISABLE TRIGGER test_runs_finish;
        UPDATE test_runs t SET digest = '' WHERE digest <> '' AND EXISTS (
            SELECT FROM test_runs o WHERE o.mission_id = t.mission_id AND o.digest = t.digest
                AND (o.created_at, o.id) > (t.created_at, t.id)
        );
        ALTER TABLE test_runs ENABLE TRIGGER test_runs_finish;
    END IF;
END $$;
