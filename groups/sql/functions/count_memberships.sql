-- Counts the changed memberships of a statement: membership_count counts every row, member_count the active ones.
CREATE OR REPLACE FUNCTION count_memberships() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO mission_counters AS c (group_id, slot, member_count, membership_count)
        SELECT group_id, pg_backend_pid(), (count(*) FILTER (WHERE status = 'active'))::integer, count(*)::integer
        FROM new_rows GROUP BY group_id
        ON CONFLICT (group_id, slot) DO UPDATE
            SET member_count = c.member_count + excluded.member_count,
                membership_count = c.membership_count + excluded.membership_count;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO mission_counters AS c (group_id, slot, member_count, membership_count)
        SELECT group_id, pg_backend_pid(), -(count(*) FILTER (WHERE status = 'active'))::integer, -count(*)::integer
        FROM old_rows GROUP BY group_id
        ON CONFLICT (group_id, slot) DO UPDATE
            SET member_count = c.member_count + excluded.member_count,
                membership_count = c.membership_count + excluded.membership_count;
    ELSE
        INSERT INTO mission_counters AS c (group_id, slot, member_count, membership_count)
        SELECT group_id, pg_backend_pid(), sum(member)::integer, sum(membership)::integer
        FROM (
            SELECT group_id, (status = 'active')::integer AS member, 1 AS membership FROM new_rows
            UNION ALL
            SELECT group_id, -(status = 'active')::integer, -1 FROM old_rows
        ) steps
        GROUP BY group_id HAVING sum(member) <> 0 OR sum(membership) <> 0
        ON CONFLICT (group_id, slot) DO UPDATE
            SET member_count = c.member_count + excluded.member_count,
                membership_count = c.membership_count + excluded.membership_count;
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION count_memberships() FROM PUBLIC;
