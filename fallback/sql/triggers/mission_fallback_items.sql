-- Proposals: guardrails, link to the mission, counts of the run, and a lock that prevents deadlocks with deletions.
CREATE OR REPLACE TRIGGER mission_fallback_items_touch_updated_at BEFORE UPDATE ON mission_fallback_items
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
CREATE OR REPLACE TRIGGER mission_fallback_items_spend BEFORE INSERT OR UPDATE ON mission_fallback_items
    FOR EACH ROW EXECUTE FUNCTION spend_allowance();
CREATE CONSTRAINT TRIGGER mission_fallback_items_mission_links_back
    AFTER INSERT OR UPDATE OF status, mission_id, project_id ON mission_fallback_items
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_fallback_mission();
CREATE OR REPLACE TRIGGER mission_fallback_items_count_new AFTER INSERT ON mission_fallback_items
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_fallback_items();
CREATE OR REPLACE TRIGGER mission_fallback_items_count_changed AFTER UPDATE ON mission_fallback_items
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_fallback_items();
CREATE OR REPLACE TRIGGER mission_fallback_items_count_gone AFTER DELETE ON mission_fallback_items
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_fallback_items();
CREATE OR REPLACE TRIGGER mission_fallback_items_count_truncated AFTER TRUNCATE ON mission_fallback_items
    FOR EACH STATEMENT EXECUTE FUNCTION reset_fallback_counts();
CREATE OR REPLACE TRIGGER mission_fallback_items_shared_lock BEFORE INSERT OR UPDATE OR DELETE ON mission_fallback_items
    FOR EACH STATEMENT EXECUTE FUNCTION take_shared_fallback_lock();
