-- A task gets a stable ID, which is never changed or reused, and is open only in an open group.
CREATE OR REPLACE TRIGGER tasks_assign_stable_id BEFORE INSERT ON tasks
    FOR EACH ROW EXECUTE FUNCTION assign_stable_id('T');
CREATE OR REPLACE TRIGGER tasks_reject_stable_id_change BEFORE UPDATE ON tasks
    FOR EACH ROW WHEN (OLD.stable_id IS DISTINCT FROM NEW.stable_id) EXECUTE FUNCTION reject_stable_id_change();
CREATE OR REPLACE TRIGGER tasks_retire_stable_id AFTER DELETE ON tasks
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION retire_stable_ids();
CREATE OR REPLACE TRIGGER tasks_reject_retired_stable_id AFTER INSERT ON tasks
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION reject_retired_stable_ids();
CREATE OR REPLACE TRIGGER tasks_touch_updated_at BEFORE UPDATE ON tasks
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
CREATE OR REPLACE TRIGGER tasks_open_group BEFORE INSERT ON tasks
    FOR EACH ROW WHEN (NEW.state = 'open') EXECUTE FUNCTION check_open_group('tasks_open_group');
CREATE OR REPLACE TRIGGER tasks_open_group_change BEFORE UPDATE ON tasks
    FOR EACH ROW WHEN (NEW.state = 'open' AND (OLD.state <> 'open' OR OLD.group_id <> NEW.group_id))
    EXECUTE FUNCTION check_open_group('tasks_open_group');
