-- export_membership_events: groups, members and everything that happened to memberships, in time order, one JSON object
-- a line, with stable IDs instead of UUIDs. A membership is named by its member, its group and its number among theirs.
-- names: whether lines of members have their names and e-mails.
WITH numbered AS (
    SELECT m.id, m.role, m.joined_at, m.left_at, p.member_id AS member, g.stable_id AS group_id,
        row_number() OVER (PARTITION BY m.member_id, m.group_id ORDER BY m.joined_at, m.id) AS number
    FROM memberships m JOIN members p ON p.id = m.member_id JOIN groups g ON g.id = m.group_id
),
changes AS (
    SELECT n.*, e.occurred_at, e.payload #>> '{changed,role,0}' AS before, e.payload #>> '{changed,role,1}' AS after,
        row_number() OVER (PARTITION BY n.id ORDER BY e.occurred_at, e.id) AS turn,
        row_number() OVER (PARTITION BY n.id ORDER BY e.occurred_at DESC, e.id DESC) AS turn_from_end
    FROM events e JOIN numbered n ON n.id::text = e.payload ->> 'membership'
    WHERE e.type = 'membership.role_changed' AND jsonb_typeof(e.payload #> '{changed,role}') = 'array'
),
lines (part, at, place, key, line) AS (
    SELECT CASE g.type WHEN 'colony' THEN 0 ELSE 1 END, g.created_at, 0, g.stable_id, jsonb_strip_nulls(jsonb_build_object(
        'type', 'group.created', 'group', g.stable_id, 'kind', g.type, 'name', g.name, 'description', g.description,
        'colony', c.stable_id, 'min_trust_score', g.min_trust_score
    ))
    FROM groups g LEFT JOIN groups c ON c.id = g.parent_group_id
    UNION ALL
    SELECT 2, p.created_at, 0, p.member_id, jsonb_strip_nulls(jsonb_build_object(
        'type', 'member.created', 'member', p.member_id, 'trust_score', p.trust_score,
        'name', CASE WHEN %(names)s THEN p.display_name END, 'email', CASE WHEN %(names)s THEN p.email END
    ))
    FROM members p WHERE EXISTS (SELECT FROM memberships m WHERE m.member_id = p.id)
    UNION ALL
    SELECT 3, n.joined_at, 0, n.id::text, jsonb_build_object(
        'type', 'membership.created', 'at', n.joined_at, 'member', n.member, 'group', n.group_id, 'number', n.number,
        'role', coalesce((SELECT before FROM changes h WHERE h.id = n.id AND h.turn = 1), n.role)
    )
    FROM numbered n
    UNION ALL
    SELECT 3, h.occurred_at, 1, h.id::text, jsonb_build_object(
        'type', 'membership.role_changed', 'at', h.occurred_at, 'member', h.member, 'group', h.group_id,
        -- A later change that has no event is part of the last one that has.
        'number', h.number, 'role', CASE WHEN h.turn_from_end = 1 THEN h.role ELSE h.after END
    )
    FROM changes h
    UNION ALL
    SELECT 3, n.left_at, 2, n.id::text, jsonb_build_object(
        'type', 'membership.ended', 'at', n.left_at, 'member', n.member, 'group', n.group_id, 'number', n.number
    )
    FROM numbered n WHERE n.left_at IS NOT NULL
    UNION ALL
    SELECT 4, g.created_at, 0, g.stable_id, jsonb_build_object('type', 'group.archived', 'group', g.stable_id)
    FROM groups g WHERE g.status = 'archived'
)
SELECT line::text FROM lines ORDER BY part, at, place, key
