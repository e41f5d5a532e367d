-- A group gets a stable ID, which is never changed or reused, fits its colony, and its counts are read-only.
-- Merging counts does not change updated_at.
CREATE OR REPLACE TRIGGER groups_touch_updated_at BEFORE UPDATE ON groups
    FOR EACH ROW
    WHEN (
        OLD.* IS DISTINCT FROM NEW.*
        AND OLD.merged_member_count = NEW.merged_member_count
        AND OLD.merged_membership_count = NEW.merged_membership_count
        AND OLD.merged_open_task_count = NEW.merged_open_task_count
    )
    EXECUTE FUNCTION touch_updated_at();
CREATE OR REPLACE TRIGGER groups_assign_stable_id BEFORE INSERT ON groups
    FOR EACH ROW EXECUTE FUNCTION assign_group_stable_id();
CREATE OR REPLACE TRIGGER groups_reject_stable_id_change BEFORE UPDATE ON groups
    FOR EACH ROW WHEN (OLD.stable_id IS DISTINCT FROM NEW.stable_id) EXECUTE FUNCTION reject_stable_id_change();
CREATE OR REPLACE TRIGGER groups_retire_stable_id AFTER DELETE ON groups
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION retire_stable_ids();
CREATE OR REPLACE TRIGGER groups_reject_retired_stable_id AFTER INSERT ON groups
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION reject_retired_stable_ids();
CREATE OR REPLACE TRIGGER groups_check BEFORE INSERT ON groups
    FOR EACH ROW EXECUTE FUNCTION check_group();
CREATE OR REPLACE TRIGGER groups_check_change BEFORE UPDATE ON groups
    FOR EACH ROW
    WHEN (OLD.type <> NEW.type OR OLD.status <> NEW.status
          OR OLD.parent_group_id IS DISTINCT FROM NEW.parent_group_id)
    EXECUTE FUNCTION check_group();
CREATE OR REPLACE TRIGGER groups_counts_read_only BEFORE UPDATE ON groups
    FOR EACH ROW
    WHEN (
        OLD.merged_member_count <> NEW.merged_member_count
        OR OLD.merged_membership_count <> NEW.merged_membership_count
        OR OLD.merged_open_task_count <> NEW.merged_open_task_count
    )
    EXECUTE FUNCTION reject_merged_count_change();
