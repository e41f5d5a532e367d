-- Stores the pages of a run's logs, so that a page is read without the whole log.
-- SECURITY DEFINER, because the role of the site may not write pages.
CREATE OR REPLACE FUNCTION paginate_test_run_logs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    PERFORM paginate_logs(NEW.id, NEW.logs);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION paginate_test_run_logs() FROM PUBLIC;
