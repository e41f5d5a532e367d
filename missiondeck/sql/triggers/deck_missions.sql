-- Client missions: number, assignee, time of the last change, status changes and immutable fields.
CREATE OR REPLACE TRIGGER deck_missions_numbers_follow AFTER INSERT ON deck_missions
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION follow_deck_numbers();
CREATE OR REPLACE TRIGGER deck_missions_touch_updated_at BEFORE UPDATE ON deck_missions
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
CREATE OR REPLACE TRIGGER deck_missions_find_assignee BEFORE INSERT OR UPDATE OF assigned_to, assignee_id ON deck_missions
    FOR EACH ROW EXECUTE FUNCTION find_deck_assignee();
CREATE OR REPLACE TRIGGER deck_missions_status_change BEFORE UPDATE OF status ON deck_missions
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_deck_status_change();
CREATE OR REPLACE TRIGGER deck_missions_begin_active BEFORE INSERT ON deck_missions
    FOR EACH ROW WHEN (NEW.status <> 'active') EXECUTE FUNCTION reject_deck_initial_status();
CREATE OR REPLACE TRIGGER deck_missions_immutable_fields BEFORE UPDATE ON deck_missions
    FOR EACH ROW WHEN (
        OLD.id <> NEW.id OR OLD.number <> NEW.number OR (OLD.status = NEW.status AND (
            OLD.completed_at IS DISTINCT FROM NEW.completed_at OR OLD.override_reason <> NEW.override_reason
            OR OLD.completed_by_id IS DISTINCT FROM NEW.completed_by_id
        ))
    )
    EXECUTE FUNCTION reject_deck_immutable_fields();
CREATE OR REPLACE TRIGGER deck_missions_log_status_change AFTER UPDATE OF status ON deck_missions
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION log_deck_status_change();
