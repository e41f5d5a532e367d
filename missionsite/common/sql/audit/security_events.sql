-- The security log in the audit. audit() writes the events of the apps that are in it too; those are not written twice.
SELECT n.type AS action, coalesce(n.actor_id, context.actor) AS actor,
    CASE WHEN n.member_id IS NOT NULL THEN 'groups.member' ELSE '' END AS object_type,
    coalesce((SELECT m.member_id FROM members m WHERE m.id = n.member_id), '') AS object_id,
    coalesce(n.member_id, n.actor_id) AS member,
    context.origin || jsonb_strip_nulls(jsonb_build_object(
        'address', n.address, 'browser', nullif(n.user_agent, ''), 'request', nullif(n.request_id, '')
    )) AS origin,
    jsonb_build_object('payload', n.payload) AS content
FROM new_rows n
WHERE split_part(n.type, '.', 1) NOT IN ('token', 'role', 'member', 'directory', 'project')
