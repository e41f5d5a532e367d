-- Sets the finish time and the flaky tests of a run. A finished run is immutable, except that a run of CI can get further
-- parts: they only add results to those it has, finished or not.
-- A run that is inserted as finished gets created_at as its finish time; finished_at orders the runs.
CREATE OR REPLACE FUNCTION finish_test_run() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    adds_part boolean;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        adds_part := (OLD.commit <> '' OR OLD.build_url <> '') AND NOT OLD.is_given_up AND NEW.parts >= OLD.parts
            AND NEW.import_key = OLD.import_key AND NEW.created_by_id IS NOT DISTINCT FROM OLD.created_by_id
            AND (NEW.shards IS NOT DISTINCT FROM OLD.shards OR NEW.shards > coalesce(OLD.shards, 0))
            AND (jsonb_array_length(NEW.results) > jsonb_array_length(OLD.results)
                OR OLD.status = 'running' AND NEW.results = OLD.results)
            AND (OLD.results = '[]' OR OLD.results = jsonb_path_query_array(
                    NEW.results, format('$[0 to %s]', greatest(coalesce(jsonb_array_length(OLD.results), 0), 1) - 1)::jsonpath
                ));
        IF (OLD.status <> 'running' OR OLD.results IS NOT NULL AND OLD.parts > 0) AND adds_part IS NOT TRUE
            OR OLD.status <> 'running' AND NEW.is_given_up
        THEN
            RAISE EXCEPTION 'a finished test run cannot be changed'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'test_runs_finished_immutable';
        END IF;
        IF (OLD.mission_id, OLD.created_at) IS DISTINCT FROM (NEW.mission_id, NEW.created_at) THEN
            RAISE EXCEPTION 'the mission and the start time of a test run cannot be changed'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'test_runs_mission_immutable';
        END IF;
        IF (OLD.commit, OLD.branch, OLD.build_url, OLD.job, OLD.attempt, OLD.environment)
            IS DISTINCT FROM (NEW.commit, NEW.branch, NEW.build_url, NEW.job, NEW.attempt, NEW.environment)
        THEN
            RAISE EXCEPTION 'the values that identify a CI run cannot be changed'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'test_runs_ci_run_immutable';
        END IF;
    END IF;
    -- A clock that is ahead must not make a run the latest one for ever.
    IF NEW.started_at > NEW.created_at THEN
        NEW.started_at := NEW.created_at;
    END IF;
    IF NEW.committed_at > NEW.created_at THEN
        NEW.committed_at := NEW.created_at;
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
