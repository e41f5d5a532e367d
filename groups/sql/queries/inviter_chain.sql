-- get_invitation_tree: the numbers of an entry and of its inviters, up to the first one. Ends at a cycle.
WITH RECURSIVE line AS (
    SELECT m.invited_by, ARRAY[m.member_id]::varchar[] AS seen FROM community_members m
    WHERE m.member_id = %s
    UNION ALL
    SELECT m.invited_by, l.seen || m.member_id
    FROM line l JOIN community_members m ON m.member_id = l.invited_by
    WHERE m.member_id <> ALL (l.seen)
)
SELECT seen FROM line ORDER BY cardinality(seen) DESC LIMIT 1
