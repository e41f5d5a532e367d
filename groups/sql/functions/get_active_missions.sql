-- The active missions with counts, for one member: signature and language of the seed; active_missions has the query.
CREATE OR REPLACE FUNCTION get_active_missions(member_uuid uuid, member_trust_score integer)
RETURNS TABLE (
    id uuid,
    stable_id text,
    name varchar(255),
    description text,
    min_trust_score integer,
    member_count bigint,
    task_count bigint,
    is_member boolean,
    is_eligible boolean
)
LANGUAGE plpgsql STABLE
-- Reading all missions needs a hash join with the counters. If the planner estimates one row, a nested loop would make
-- 100 million comparisons of 10,000 rows.
SET enable_nestloop = off
AS $$
BEGIN
    RETURN QUERY SELECT * FROM active_missions(member_uuid, member_trust_score);
END $$;
COMMENT ON FUNCTION get_active_missions IS
    'Active missions with member and open task counts, and whether this member belongs to them and may join.';
