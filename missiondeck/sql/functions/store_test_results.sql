-- Stores the results of a run as rows, so that pages, gates and comparisons read only what they show or count.
-- A part of a run of CI only adds results. SECURITY DEFINER, because the role of the site may not write results.
CREATE OR REPLACE FUNCTION store_test_results() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    stored integer := 0;
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.parts > 0 OR OLD.status <> 'running') THEN
        stored := coalesce(jsonb_array_length(OLD.results), 0);
    ELSIF TG_OP = 'UPDATE' THEN
        DELETE FROM test_results WHERE run_id = NEW.id;
    END IF;
    IF jsonb_typeof(NEW.results) = 'array' THEN
        PERFORM add_test_results(NEW.id, NEW.results, stored);
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION store_test_results() FROM PUBLIC;
