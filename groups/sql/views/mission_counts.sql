-- The counts of each group: the merged ones and the changes since. Read with the caller's privileges.
CREATE OR REPLACE VIEW mission_counts WITH (security_invoker = true) AS
SELECT
    g.id AS group_id,
    g.merged_member_count + coalesce(c.members, 0)::integer AS member_count,
    g.merged_membership_count + coalesce(c.memberships, 0)::integer AS membership_count,
    g.merged_open_task_count + coalesce(c.tasks, 0)::integer AS open_task_count
FROM groups g
LEFT JOIN (
    SELECT group_id, sum(member_count) AS members, sum(membership_count) AS memberships, sum(open_task_count) AS tasks
    FROM mission_counters GROUP BY group_id
) c ON c.group_id = g.id;
