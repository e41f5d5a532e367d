-- Changes of the status of client missions in the audit, with overrides.
SELECT CASE WHEN n.is_override THEN 'deckmission.overridden' ELSE 'deckmission.status_changed' END AS action,
    n.by_id AS actor, 'missiondeck.deckmission' AS object_type,
    coalesce((SELECT m.number::text FROM deck_missions m WHERE m.id = n.mission_id), '') AS object_id,
    NULL::uuid AS member, context.origin AS origin,
    jsonb_build_object('payload', jsonb_strip_nulls(jsonb_build_object(
        'reason', nullif(n.reason, ''), 'changed', jsonb_build_object('status', jsonb_build_array(n.from_status, n.to_status))
    ))) AS content
FROM new_rows n
