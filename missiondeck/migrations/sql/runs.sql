-- Shapes of JSON columns, the outcome of test runs, and paginated logs.

-- [{"language", "code"}], both texts.
CREATE FUNCTION deck_code_blocks_valid(blocks jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp
RETURN CASE WHEN jsonb_typeof(blocks) = 'array' THEN jsonb_array_length(blocks) <= 50 AND NOT EXISTS (
    SELECT FROM jsonb_array_elements(blocks) AS b (block) WHERE NOT coalesce(CASE WHEN jsonb_typeof(block) = 'object' THEN
        block - ARRAY['language', 'code'] = '{}'
        AND jsonb_typeof(block->'language') = 'string' AND length(block->>'language') <= 40
        AND jsonb_typeof(block->'code') = 'string' AND length(block->>'code') <= 100000
    END, false)
) ELSE false END;
ALTER TABLE chat_messages ADD CONSTRAINT chat_messages_code_blocks_shape CHECK (deck_code_blocks_valid(code_blocks));

-- Counts by status, seconds, and pairs like functional_passed and functional_total, with passed <= total; no negative
-- values and no other keys, because a failure under another name could contradict `passed`.
CREATE FUNCTION test_summary_valid(summary jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp
RETURN CASE WHEN jsonb_typeof(summary) = 'object' THEN NOT EXISTS (
    SELECT FROM jsonb_each(summary) AS e (key, value) WHERE NOT coalesce(CASE WHEN jsonb_typeof(value) = 'number' THEN
        key ~ '^(passed|failed|errors|skipped|total|duration|.{1,80}_(passed|total))$'
        AND value >= '0' AND (key NOT LIKE '%\_passed' OR coalesce(value <= summary->(left(key, -6) || 'total'), true))
    END, false)
) ELSE false END;
ALTER TABLE test_runs ADD CONSTRAINT test_runs_summary_shape CHECK (summary IS NULL OR test_summary_valid(summary));

-- [{"name", "status", …}]; see models/runs.py.
CREATE FUNCTION test_results_valid(results jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp
RETURN CASE WHEN jsonb_typeof(results) = 'array' THEN NOT EXISTS (
    SELECT FROM jsonb_array_elements(results) AS r (result)
    WHERE NOT coalesce(CASE WHEN jsonb_typeof(result) = 'object' THEN
        result - ARRAY['name', 'status', 'duration', 'classname', 'suite', 'file', 'error', 'traceback', 'output',
            'flaky', 'retries'] = '{}'
        AND jsonb_typeof(result->'name') = 'string' AND result->>'name' !~ '^\s*$'
        AND result->>'status' IN ('passed', 'failed', 'error', 'skipped')
        AND coalesce(jsonb_typeof(result->'duration') = 'number' AND result->'duration' >= '0', true)
        AND coalesce(jsonb_typeof(result->'retries') = 'number' AND result->'retries' >= '0', true)
        AND coalesce(jsonb_typeof(result->'flaky') = 'boolean', true)
        AND coalesce(jsonb_typeof(result->'classname') = 'string', true)
        AND coalesce(jsonb_typeof(result->'suite') = 'string', true)
        AND coalesce(jsonb_typeof(result->'file') = 'string', true)
        AND coalesce(jsonb_typeof(result->'error') = 'string', true)
        AND coalesce(jsonb_typeof(result->'traceback') = 'string', true)
        AND coalesce(jsonb_typeof(result->'output') = 'string', true)
    END, false)
) ELSE false END;
ALTER TABLE test_runs ADD CONSTRAINT test_runs_results_shape CHECK (results IS NULL OR test_results_valid(results));
ALTER TABLE test_runs ADD CONSTRAINT test_runs_warnings_shape CHECK (
    jsonb_typeof(warnings) = 'array' AND NOT jsonb_path_exists(warnings, 'strict $[*] ? (@.type() != "string")')
);

-- The outcome of a run: passed if at least one test passed, none failed, and the summary counts no failure.
CREATE FUNCTION test_run_outcome(summary jsonb, results jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp
RETURN CASE
    WHEN jsonb_typeof(results) IS DISTINCT FROM 'array' THEN NULL
    WHEN jsonb_path_exists(results, '$[*] ? (@.status == "failed" || @.status == "error")')
        OR NOT jsonb_path_exists(results, '$[*] ? (@.status == "passed")') THEN 'failed'
    WHEN jsonb_typeof(summary) = 'object' AND EXISTS (
        SELECT FROM jsonb_each(summary) AS e (key, value)
        WHERE (key IN ('failed', 'errors') AND value > '0')
            OR (key LIKE '%\_passed' AND value < summary->(left(key, -6) || 'total'))
    ) THEN 'failed'
    ELSE 'passed'
END;
ALTER TABLE test_runs ADD CONSTRAINT test_runs_status_follows_from_results
    CHECK (status = 'running' OR coalesce(status = test_run_outcome(summary, results), false));

-- The counts of a summary must equal the results.
CREATE FUNCTION test_summary_fits(summary jsonb, results jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp
RETURN CASE
    WHEN jsonb_typeof(summary) = 'object' AND jsonb_typeof(results) = 'array'
        AND summary ?| ARRAY['passed', 'failed', 'errors', 'skipped', 'total']
    THEN (
        SELECT coalesce((summary->'passed')::numeric = count(*) FILTER (WHERE status = 'passed'), true)
            AND coalesce((summary->'failed')::numeric = count(*) FILTER (WHERE status = 'failed'), true)
            AND coalesce((summary->'errors')::numeric = count(*) FILTER (WHERE status = 'error'), true)
            AND coalesce((summary->'skipped')::numeric = count(*) FILTER (WHERE status = 'skipped'), true)
            AND coalesce((summary->'total')::numeric = count(*), true)
        FROM (SELECT r.result->>'status' AS status FROM jsonb_array_elements(results) AS r (result)) counted
    )
    ELSE true
END;
ALTER TABLE test_runs ADD CONSTRAINT test_runs_summary_fits_results
    CHECK (status = 'running' OR test_summary_fits(summary, results));

ALTER TABLE test_runs ADD CONSTRAINT test_runs_finished_at_consistent CHECK ((status = 'running') = (finished_at IS NULL));
ALTER TABLE test_runs ADD CONSTRAINT test_runs_logs_bounded CHECK (octet_length(logs) <= 67108864);
ALTER TABLE test_runs ADD CONSTRAINT test_runs_results_bounded CHECK (pg_column_size(results) <= 134217728);

-- The identity of a test across runs.
CREATE FUNCTION test_identity(result jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(nullif(coalesce(nullif(result->>'classname', ''), result->>'suite'), '') || ' › ', '')
    || (result->>'name');

-- Tests that fail in these results and passed after a failure within their last five runs, including this one.
-- Searches the ten earlier runs of the mission.
CREATE FUNCTION flaky_tests_of(of_mission uuid, before timestamptz, run uuid, results jsonb) RETURNS text[]
LANGUAGE sql STABLE SET search_path = public, pg_temp
AS $$
    WITH failing AS MATERIALIZED (
        SELECT DISTINCT test_identity(r.result) AS test FROM jsonb_array_elements(results) AS r (result)
        WHERE r.result->>'status' IN ('failed', 'error')
    ), past AS (
        SELECT t.id, t.created_at, test_identity(r.result) AS test,
               bool_or(r.result->>'status' IN ('failed', 'error')) AS is_bad
        FROM (
            SELECT p.id, p.created_at, p.results FROM test_runs p
            WHERE p.mission_id = of_mission AND p.status <> 'running' AND p.id <> run AND p.created_at <= before
            ORDER BY p.created_at DESC, p.id DESC LIMIT 10
        ) t, jsonb_array_elements(t.results) AS r (result)
        WHERE EXISTS (SELECT FROM failing) AND r.result->>'status' <> 'skipped'
            AND test_identity(r.result) IN (SELECT test FROM failing)
        GROUP BY 1, 2, 3
    ), placed AS (
        SELECT test, is_bad, row_number() OVER (PARTITION BY test ORDER BY created_at DESC, id DESC) AS place FROM past
    )
    SELECT coalesce(array_agg(test ORDER BY test), '{}') FROM (
        SELECT test FROM placed WHERE place <= 4 GROUP BY test
        HAVING min(place) FILTER (WHERE NOT is_bad) < max(place) FILTER (WHERE is_bad)
    ) flaky
$$;

-- Sets the finish time and the flaky tests of a run. A finished run is immutable.
CREATE FUNCTION finish_test_run() RETURNS trigger
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
CREATE TRIGGER test_runs_finish BEFORE INSERT OR UPDATE ON test_runs
    FOR EACH ROW EXECUTE FUNCTION finish_test_run();

-- Maintains the latest run of each mission.
CREATE FUNCTION update_latest_run() RETURNS trigger
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
CREATE TRIGGER test_runs_update_latest AFTER INSERT OR UPDATE OF status ON test_runs
    FOR EACH ROW EXECUTE FUNCTION update_latest_run();

-- Splits logs into pages of whole lines, at most 65,536 bytes each; a longer line is broken. Split by bytes, because a
-- long text is scanned from its start for each character position.
ALTER TABLE test_runs ALTER COLUMN logs SET STORAGE EXTERNAL;
CREATE FUNCTION paginate_logs(of_run uuid, logs text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    bytes CONSTANT bytea := convert_to(coalesce(logs, ''), 'UTF8');
    total CONSTANT integer := octet_length(bytes);
    here integer := 0;
    until integer;
    piece text;
    after_newline integer;
    number integer := 1;
    line integer := 1;
BEGIN
    DELETE FROM test_run_log_pages WHERE run_id = of_run;
    WHILE here < total LOOP
        until := least(here + 65536, total);
        -- Not inside a character.
        WHILE until < total AND get_byte(bytes, until) & 192 = 128 LOOP
            until := until - 1;
        END LOOP;
        piece := convert_from(substring(bytes FROM here + 1 FOR until - here), 'UTF8');
        IF until < total THEN
            after_newline := position(E'\n' IN reverse(piece)) - 1;
            IF after_newline > 0 THEN
                piece := left(piece, -after_newline);
            END IF;
        END IF;
        here := here + octet_length(piece);
        INSERT INTO test_run_log_pages (run_id, page, first_line, text)
        VALUES (of_run, number, line, CASE WHEN right(piece, 1) = E'\n' THEN left(piece, -1) ELSE piece END);
        number := number + 1;
        line := line + length(piece) - length(replace(piece, E'\n', ''));
    END LOOP;
END $$;
CREATE FUNCTION paginate_test_run_logs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM paginate_logs(NEW.id, NEW.logs);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION paginate_logs(uuid, text), paginate_test_run_logs() FROM PUBLIC;
CREATE TRIGGER test_runs_paginate_logs_new AFTER INSERT ON test_runs
    FOR EACH ROW WHEN (NEW.logs IS NOT NULL) EXECUTE FUNCTION paginate_test_run_logs();
CREATE TRIGGER test_runs_paginate_logs AFTER UPDATE OF logs ON test_runs
    FOR EACH ROW WHEN (OLD.logs IS DISTINCT FROM NEW.logs) EXECUTE FUNCTION paginate_test_run_logs();

-- Existing runs.
INSERT INTO deck_latest_runs AS l (mission_id, run_id, status, created_at)
SELECT DISTINCT ON (mission_id) mission_id, id, status, created_at FROM test_runs
ORDER BY mission_id, created_at DESC, id DESC
ON CONFLICT (mission_id) DO UPDATE
SET run_id = excluded.run_id, status = excluded.status, created_at = excluded.created_at
WHERE (l.run_id, l.status) IS DISTINCT FROM (excluded.run_id, excluded.status);
SELECT paginate_logs(id, logs) FROM test_runs t
WHERE logs <> '' AND NOT EXISTS (SELECT FROM test_run_log_pages p WHERE p.run_id = t.id);
