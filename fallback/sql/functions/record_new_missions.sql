-- Records new missions in their timelines and notifies the boards.
CREATE OR REPLACE FUNCTION record_new_missions() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
    project record;
BEGIN
    INSERT INTO mission_events (project_id, mission_id, type, origin, actor_id, payload)
    SELECT n.project_id, n.id, 'mission.created', audit_origin(), audit_actor_id(),
        jsonb_strip_nulls(jsonb_build_object(
            'list', n.list, 'ready', n.ready, 'origin', n.origin, 'item', n.fallback_item_id))
    FROM new_rows n;
    FOR project IN SELECT DISTINCT n.project_id AS id FROM new_rows n LOOP
        PERFORM pg_notify('project:' || project.id || ':board', json_build_object('projectId', project.id)::text);
    END LOOP;
    RETURN NULL;
END $$;
