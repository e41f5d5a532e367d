-- Returns the members that a member invited, directly and indirectly: one row per member, the root first.
CREATE OR REPLACE FUNCTION invitation_tree(root varchar, deepest integer DEFAULT 20)
RETURNS TABLE (member_id varchar, invited_by varchar, depth integer, path varchar[])
LANGUAGE sql STABLE
AS $$
    WITH RECURSIVE tree AS (
        SELECT m.member_id, m.invited_by, 0 AS depth, ARRAY[m.member_id]::varchar[] AS path
        FROM community_members m WHERE m.member_id = root
        UNION ALL
        SELECT m.member_id, m.invited_by, t.depth + 1, t.path || m.member_id
        FROM tree t JOIN community_members m ON m.invited_by = t.member_id
        -- Ends at a cycle.
        WHERE t.depth < deepest AND m.member_id <> ALL (t.path)
    )
    SELECT member_id, invited_by, depth, path FROM tree ORDER BY path
$$;
