-- The activity of projects in the audit.
SELECT n.type AS action, n.actor_id AS actor, 'fallback.project' AS object_type, n.project_id::text AS object_id,
    NULL::uuid AS member, context.origin AS origin, jsonb_build_object('payload', n.payload) AS content
FROM new_rows n
