-- Recorded status changes are append-only.
CREATE OR REPLACE TRIGGER deck_status_changes_append_only BEFORE UPDATE OR DELETE ON deck_status_changes
    FOR EACH ROW EXECUTE FUNCTION reject_edit_of_deck_status_changes();
CREATE OR REPLACE TRIGGER deck_status_changes_no_truncate BEFORE TRUNCATE ON deck_status_changes
    FOR EACH STATEMENT EXECUTE FUNCTION reject_edit_of_deck_status_changes();
