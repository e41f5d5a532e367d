-- Sets the finish time and the flaky tests of a run. A finished run is immutable.
-- A run that is inserted as finished gets created_at as its finish time; finished_at orders the runs.
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
