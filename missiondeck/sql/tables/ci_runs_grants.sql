-- What the role of the site may not write: baselines and confirmations are append-only, and so are parts of runs.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE UPDATE, DELETE ON test_run_parts, deck_gate_baselines, deck_vanished_tests FROM missionsite_app;
        REVOKE DELETE ON deck_gate_rules FROM missionsite_app;
    END IF;
END $$;
