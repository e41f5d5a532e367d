-- Missions: times, timeline, counts of dependents, immutable fields, link to the proposal, and locks against deadlocks.
CREATE OR REPLACE TRIGGER missions_touch_new BEFORE INSERT ON missions FOR EACH ROW EXECUTE FUNCTION touch_mission();
CREATE OR REPLACE TRIGGER missions_touch BEFORE UPDATE ON missions
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_mission();
CREATE OR REPLACE TRIGGER missions_record_new AFTER INSERT ON missions
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION record_new_missions();
CREATE OR REPLACE TRIGGER missions_record_changes AFTER UPDATE ON missions
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION record_mission_changes();
CREATE OR REPLACE TRIGGER missions_count_dependents AFTER UPDATE ON missions
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_dependents();
CREATE CONSTRAINT TRIGGER missions_fallback_was_accepted AFTER INSERT OR UPDATE OF fallback_item_id ON missions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.origin = 'fallback')
    EXECUTE FUNCTION check_fallback_mission();
CREATE OR REPLACE TRIGGER missions_project_immutable BEFORE UPDATE OF project_id ON missions
    FOR EACH ROW WHEN (OLD.project_id <> NEW.project_id) EXECUTE FUNCTION reject_mission_project_change();
CREATE OR REPLACE TRIGGER missions_origin_immutable BEFORE UPDATE OF origin ON missions
    FOR EACH ROW WHEN (OLD.origin <> NEW.origin) EXECUTE FUNCTION reject_mission_origin_change();
CREATE OR REPLACE TRIGGER missions_shared_lock BEFORE INSERT OR UPDATE ON missions
    FOR EACH STATEMENT EXECUTE FUNCTION take_shared_fallback_lock();
CREATE OR REPLACE TRIGGER missions_exclusive_lock BEFORE DELETE ON missions
    FOR EACH STATEMENT EXECUTE FUNCTION take_exclusive_fallback_lock();
