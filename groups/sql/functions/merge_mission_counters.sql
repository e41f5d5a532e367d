-- Merges at most `at_most` slots into their groups' rows; returns how many. It skips locked rows, so it never waits;
-- one merge runs at a time.
CREATE OR REPLACE FUNCTION merge_mission_counters(at_most integer DEFAULT 10000) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    merged bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(19795, 0) THEN
        RETURN 0;
    END IF;
    WITH slots AS (
        SELECT group_id, slot FROM mission_counters ORDER BY group_id, slot LIMIT at_most FOR UPDATE SKIP LOCKED
    ), free AS (
        SELECT id FROM groups WHERE id IN (SELECT group_id FROM slots) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ), taken AS (
        DELETE FROM mission_counters c USING slots s, free f
        WHERE c.group_id = s.group_id AND c.slot = s.slot AND f.id = s.group_id
        RETURNING c.group_id, c.member_count, c.membership_count, c.open_task_count
    ), added AS (
        UPDATE groups g
        SET merged_member_count = g.merged_member_count + t.members,
            merged_membership_count = g.merged_membership_count + t.memberships,
            merged_open_task_count = g.merged_open_task_count + t.tasks
        FROM (SELECT group_id, sum(member_count)::integer AS members, sum(membership_count)::integer AS memberships,
                     sum(open_task_count)::integer AS tasks
              FROM taken GROUP BY group_id) t
        WHERE g.id = t.group_id
    )
    SELECT count(*) INTO merged FROM taken;
    RETURN merged;
END $$;
REVOKE EXECUTE ON FUNCTION merge_mission_counters(integer) FROM PUBLIC;
