-- merge_people: the condition on those whom the absorbed entry invited, except the kept entry and its own inviters.
t.invited_by = %(absorbed_number)s AND t.member_id NOT IN (
    WITH RECURSIVE line AS (
        SELECT m.member_id, m.invited_by FROM community_members m WHERE m.member_id = %(kept_number)s
        UNION
        SELECT m.member_id, m.invited_by FROM line l JOIN community_members m ON m.member_id = l.invited_by
    )
    SELECT member_id FROM line
)
