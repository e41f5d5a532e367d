-- Drops the merged counts.
ALTER TABLE groups
    DROP COLUMN merged_member_count, DROP COLUMN merged_membership_count, DROP COLUMN merged_open_task_count;
