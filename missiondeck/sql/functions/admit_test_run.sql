-- A key identifies one run (test_runs_key_unique). A report without a key is a retry while the latest run of its mission
-- has the same bytes; after any other run it is a new run. The lock on the mission serializes inserts, so that concurrent
-- retries see each other and created_at follows the order of inserts, also within one transaction.
CREATE OR REPLACE FUNCTION admit_test_run() RETURNS trigger
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
