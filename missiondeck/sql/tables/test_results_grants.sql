-- What the role of the site may not write: triggers write results, and tests are kept.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE INSERT, UPDATE, DELETE ON test_results FROM missionsite_app;
        REVOKE DELETE ON deck_tests FROM missionsite_app;
    END IF;
END $$;
