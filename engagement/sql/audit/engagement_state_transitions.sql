-- Changes of state by staff in the audit: not those by sweeps, and by a member's own answer.
SELECT 'engagement.state_changed' AS action, n.actor_id AS actor, 'groups.member' AS object_type,
    coalesce((SELECT m.member_id FROM members m WHERE m.id = n.user_id), '') AS object_id, n.user_id AS member,
    context.origin AS origin,
    jsonb_build_object('payload', jsonb_build_object(
        'trigger', n.trigger, 'changed', jsonb_build_object('state', jsonb_build_array(n.from_state, n.to_state))
    )) AS content
FROM new_rows n
WHERE n.actor_id <> n.user_id AND n.actor_id <> '00000000-0000-0000-0000-000000000000'
