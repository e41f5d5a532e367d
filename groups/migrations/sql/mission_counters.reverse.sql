-- Drops the counting triggers and functions; the shares go with their table.
DROP FUNCTION mission_counter_drift(), fold_mission_counters(integer);
DROP TRIGGER tasks_count_truncated ON tasks;
DROP TRIGGER tasks_count_removed ON tasks;
DROP TRIGGER tasks_count_changed ON tasks;
DROP TRIGGER tasks_count_added ON tasks;
DROP TRIGGER memberships_count_truncated ON memberships;
DROP TRIGGER memberships_count_removed ON memberships;
DROP TRIGGER memberships_count_changed ON memberships;
DROP TRIGGER memberships_count_added ON memberships;
DROP FUNCTION forget_counts(), count_open_tasks(), count_memberships();
ALTER TABLE mission_counters RESET (fillfactor);
