-- Records the changes of missions in their timelines, one event for each mission, and notifies the boards.
CREATE OR REPLACE FUNCTION record_mission_changes() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
    project record;
BEGIN
    INSERT INTO mission_events (project_id, mission_id, type, origin, actor_id, payload)
    SELECT n.project_id, n.id,
        CASE
            WHEN n.list <> o.list THEN 'mission.moved'
            WHEN n.review_status IS DISTINCT FROM o.review_status THEN 'mission.reviewed'
            WHEN n.ready <> o.ready THEN CASE WHEN n.ready THEN 'mission.ready' ELSE 'mission.not_ready' END
            WHEN n.stage <> o.stage THEN 'mission.stage_changed'
            WHEN n.agent_session_status <> o.agent_session_status THEN 'mission.agent_changed'
            WHEN n.open_dependency_count > 0 AND o.open_dependency_count = 0 THEN 'mission.blocked'
            WHEN n.open_dependency_count = 0 AND o.open_dependency_count > 0 THEN 'mission.unblocked'
            ELSE 'mission.changed'
        END,
        audit_origin(), audit_actor_id(), jsonb_build_object('changed', c.changed)
    FROM new_rows n
    JOIN old_rows o ON o.id = n.id
    CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(a.key, jsonb_build_array(b.value, a.value)) AS changed
        FROM jsonb_each(to_jsonb(n)) a JOIN jsonb_each(to_jsonb(o)) b ON b.key = a.key
        WHERE a.value <> b.value AND a.key <> ALL (ARRAY['updated_at', 'last_event_at', 'list_order',
            'dependency_count'])
    ) c
    WHERE c.changed IS NOT NULL;
    FOR project IN SELECT DISTINCT n.project_id AS id FROM new_rows n LOOP
        PERFORM pg_notify('project:' || project.id || ':board', json_build_object('projectId', project.id)::text);
    END LOOP;
    RETURN NULL;
END $$;
