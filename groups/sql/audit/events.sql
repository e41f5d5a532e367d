-- Events in the audit. The object is the task, mission or colony, directory entry or member that an event is about, by its
-- stable ID; a role or client mission is named in the payload.
SELECT n.type AS action, n.actor_id AS actor,
    CASE WHEN n.payload ? 'number' THEN 'groups.communitymember' WHEN n.payload ? 'task' THEN 'groups.task'
        WHEN n.group_id IS NOT NULL THEN 'groups.group' WHEN n.member_id IS NOT NULL THEN 'groups.member'
        WHEN n.type LIKE 'role.%' THEN 'missionsite.role' WHEN n.payload ? 'client_mission' THEN 'missiondeck.deckmission'
        WHEN n.payload ? 'organization' THEN 'fallback.organization' ELSE '' END AS object_type,
    coalesce(
        n.payload ->> 'number', n.payload ->> 'task', (SELECT g.stable_id FROM groups g WHERE g.id = n.group_id),
        (SELECT m.member_id FROM members m WHERE m.id = n.member_id),
        CASE WHEN n.type LIKE 'role.%' THEN (SELECT r.id::text FROM auth_group r WHERE r.name = n.payload ->> 'role') END,
        n.payload ->> 'client_mission', n.payload ->> 'organization', ''
    ) AS object_id,
    n.member_id AS member, context.origin AS origin, jsonb_build_object('payload', n.payload) AS content
FROM new_rows n
