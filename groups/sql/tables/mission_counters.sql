-- Counts of members, memberships and open tasks per group, kept by triggers whichever client writes.
--
-- A group's row has the merged counts, mission_counters the changes since, one row per (group, slot), where the slot is
-- the process number of the backend. Two connections never update the same row, so concurrent joins of one mission do
-- not wait and cannot deadlock here; the count is the sum. The merged columns are not model fields, so that saving a
-- group cannot write back an old count.
ALTER TABLE groups
    ADD COLUMN merged_member_count integer NOT NULL DEFAULT 0,
    ADD COLUMN merged_membership_count integer NOT NULL DEFAULT 0,
    ADD COLUMN merged_open_task_count integer NOT NULL DEFAULT 0;
ALTER TABLE mission_counters SET (fillfactor = 50);

UPDATE groups g
SET merged_member_count = (SELECT count(*) FROM memberships m WHERE m.group_id = g.id AND m.status = 'active'),
    merged_membership_count = (SELECT count(*) FROM memberships m WHERE m.group_id = g.id),
    merged_open_task_count = (SELECT count(*) FROM tasks t WHERE t.group_id = g.id AND t.state = 'open');
SET CONSTRAINTS ALL IMMEDIATE;
