-- Proposals: the figures by day.
CREATE OR REPLACE TRIGGER mission_fallback_items_roll_up_new AFTER INSERT ON mission_fallback_items
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION roll_up_proposals();
CREATE OR REPLACE TRIGGER mission_fallback_items_roll_up_changed AFTER UPDATE ON mission_fallback_items
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION roll_up_proposals();
