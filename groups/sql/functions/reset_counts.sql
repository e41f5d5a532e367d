-- Resets the counts of a truncated table to zero.
CREATE OR REPLACE FUNCTION reset_counts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_TABLE_NAME = 'memberships' THEN
        UPDATE mission_counters SET member_count = 0, membership_count = 0
        WHERE member_count <> 0 OR membership_count <> 0;
        UPDATE groups SET merged_member_count = 0, merged_membership_count = 0
        WHERE merged_member_count <> 0 OR merged_membership_count <> 0;
    ELSE
        UPDATE mission_counters SET open_task_count = 0 WHERE open_task_count <> 0;
        UPDATE groups SET merged_open_task_count = 0 WHERE merged_open_task_count <> 0;
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION reset_counts() FROM PUBLIC;
