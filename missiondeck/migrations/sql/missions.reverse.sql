DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT DELETE ON deck_missions, test_runs TO missionsite_app;
        GRANT UPDATE, DELETE ON chat_messages, deck_missions_history, dod_items_history TO missionsite_app;
        GRANT INSERT, UPDATE, DELETE ON deck_status_changes, test_run_log_pages, deck_latest_runs TO missionsite_app;
    END IF;
END $$;
DROP TRIGGER dod_items_of_complete_mission_stay ON dod_items;
DROP FUNCTION check_dod_open();
DROP TRIGGER deck_status_changes_no_truncate ON deck_status_changes;
DROP TRIGGER deck_status_changes_append_only ON deck_status_changes;
DROP FUNCTION reject_change_of_deck_moves();
DROP TRIGGER deck_missions_move_logged ON deck_missions;
DROP FUNCTION log_deck_move();
DROP TRIGGER deck_missions_facts_stay ON deck_missions;
DROP FUNCTION reject_deck_rewrite();
DROP TRIGGER deck_missions_begin_active ON deck_missions;
DROP FUNCTION reject_deck_begin();
DROP TRIGGER deck_missions_move ON deck_missions;
DROP FUNCTION check_deck_move();
DROP FUNCTION deck_mission_missing(uuid);
DROP TRIGGER members_keep_deck_missions ON members;
DROP TRIGGER members_with_deck_missions ON members;
DROP INDEX deck_missions_waiting_for_member;
DROP FUNCTION follow_deck_assignee();
DROP FUNCTION give_members_deck_missions();
DROP TRIGGER deck_missions_find_assignee ON deck_missions;
DROP FUNCTION find_deck_assignee();
DROP TRIGGER deck_missions_touch_updated_at ON deck_missions;
DO $$
DECLARE
    link record;
BEGIN
    FOR link IN
        SELECT c.conname, c.conrelid::regclass AS of, c.confrelid::regclass AS to_table, a.attname AS held_by
        FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype = 'f' AND c.confdeltype <> 'a' AND c.conrelid = ANY (ARRAY[
            'deck_missions', 'dod_items', 'chat_messages', 'test_runs', 'deck_status_changes', 'test_run_log_pages',
            'deck_latest_runs'
        ]::regclass[])
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I FOREIGN KEY (%I) REFERENCES %s (id)'
            ' DEFERRABLE INITIALLY DEFERRED', link.of, link.conname, link.conname, link.held_by, link.to_table);
    END LOOP;
END $$;
