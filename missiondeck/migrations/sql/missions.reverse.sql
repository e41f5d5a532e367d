DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT DELETE ON deck_missions, test_runs TO missionsite_app;
        GRANT UPDATE, DELETE ON chat_messages, deck_missions_history, dod_items_history TO missionsite_app;
        GRANT INSERT, UPDATE, DELETE ON deck_status_changes, test_run_log_pages, deck_latest_runs TO missionsite_app;
    END IF;
END $$;
DROP TRIGGER dod_items_closed ON dod_items;
DROP FUNCTION check_dod_open();
DROP TRIGGER deck_status_changes_no_truncate ON deck_status_changes;
DROP TRIGGER deck_status_changes_append_only ON deck_status_changes;
DROP FUNCTION reject_edit_of_deck_status_changes();
DROP TRIGGER deck_missions_log_status_change ON deck_missions;
DROP FUNCTION log_deck_status_change();
DROP TRIGGER deck_missions_immutable_fields ON deck_missions;
DROP FUNCTION reject_deck_immutable_fields();
DROP TRIGGER deck_missions_begin_active ON deck_missions;
DROP FUNCTION reject_deck_initial_status();
DROP TRIGGER deck_missions_status_change ON deck_missions;
DROP FUNCTION check_deck_status_change();
DROP FUNCTION deck_mission_missing(uuid);
DROP TRIGGER members_update_deck_missions ON members;
DROP TRIGGER members_assign_deck_missions ON members;
DROP INDEX deck_missions_unassigned;
DROP FUNCTION update_deck_missions_of_member();
DROP FUNCTION assign_deck_missions_to_new_members();
DROP TRIGGER deck_missions_find_assignee ON deck_missions;
DROP FUNCTION find_deck_assignee();
DROP TRIGGER deck_missions_touch_updated_at ON deck_missions;
DO $$
DECLARE
    link record;
BEGIN
    FOR link IN
        SELECT c.conname, c.conrelid::regclass AS of, c.confrelid::regclass AS to_table, a.attname AS column_name
        FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype = 'f' AND c.confdeltype <> 'a' AND c.conrelid = ANY (ARRAY[
            'deck_missions', 'dod_items', 'chat_messages', 'test_runs', 'deck_status_changes', 'test_run_log_pages',
            'deck_latest_runs'
        ]::regclass[])
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I FOREIGN KEY (%I) REFERENCES %s (id)'
            ' DEFERRABLE INITIALLY DEFERRED', link.of, link.conname, link.conname, link.column_name, link.to_table);
    END LOOP;
END $$;
