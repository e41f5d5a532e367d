-- What the role of the site may not write, and the functions it may call.
-- Triggers write status changes, pages of logs and latest runs; messages and history are append-only.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE DELETE ON deck_missions, test_runs FROM missionsite_app;
        REVOKE UPDATE, DELETE ON chat_messages, deck_missions_history, dod_items_history FROM missionsite_app;
        REVOKE INSERT, UPDATE, DELETE ON deck_status_changes, test_run_log_pages, deck_latest_runs FROM missionsite_app;
        GRANT EXECUTE ON FUNCTION may_be_deck_assignee(uuid) TO missionsite_app;
    END IF;
END $$;
