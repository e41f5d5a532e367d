-- Drops the counting triggers, functions and columns.
DROP FUNCTION mission_counter_drift(), merge_mission_counters(integer);
DROP TRIGGER tasks_count_truncated ON tasks;
DROP TRIGGER tasks_count_removed ON tasks;
DROP TRIGGER tasks_count_changed ON tasks;
DROP TRIGGER tasks_count_added ON tasks;
DROP TRIGGER memberships_count_truncated ON memberships;
DROP TRIGGER memberships_count_removed ON memberships;
DROP TRIGGER memberships_count_changed ON memberships;
DROP TRIGGER memberships_count_added ON memberships;
DROP FUNCTION reset_counts(), count_open_tasks(), count_memberships();
DROP TRIGGER groups_counts_read_only ON groups;
DROP FUNCTION reject_merged_count_change();
DROP VIEW mission_counts;
DROP TRIGGER groups_touch_updated_at ON groups;
ALTER TABLE groups
    DROP COLUMN merged_member_count, DROP COLUMN merged_membership_count, DROP COLUMN merged_open_task_count;
CREATE TRIGGER groups_touch_updated_at BEFORE UPDATE ON groups
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
ALTER TABLE mission_counters RESET (fillfactor);
