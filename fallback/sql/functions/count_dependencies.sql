-- Keeps the dependency counts of missions and records each dependency that is added or removed.
CREATE OR REPLACE FUNCTION count_dependencies() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM recount_dependencies(array_agg(DISTINCT mission_id)) FROM old_rows HAVING count(*) > 0;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM recount_dependencies(array_agg(DISTINCT mission_id)) FROM new_rows HAVING count(*) > 0;
    END IF;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO mission_events (project_id, mission_id, type, origin, actor_id, payload)
        SELECT m.project_id, m.id, 'mission.dependency_added', audit_origin(), audit_actor_id(),
            jsonb_build_object('dependsOn', n.depends_on_id)
        FROM new_rows n JOIN missions m ON m.id = n.mission_id;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO mission_events (project_id, mission_id, type, origin, actor_id, payload)
        SELECT m.project_id, m.id, 'mission.dependency_removed', audit_origin(), audit_actor_id(),
            jsonb_build_object('dependsOn', o.depends_on_id)
        FROM old_rows o JOIN missions m ON m.id = o.mission_id;
    ELSE
        INSERT INTO mission_events (project_id, mission_id, type, origin, actor_id, payload)
        SELECT m.project_id, m.id, w.type, audit_origin(), audit_actor_id(), jsonb_build_object('dependsOn', w.other)
        FROM new_rows n JOIN old_rows o ON o.id = n.id
        CROSS JOIN LATERAL (VALUES ('mission.dependency_removed', o.mission_id, o.depends_on_id),
            ('mission.dependency_added', n.mission_id, n.depends_on_id)) AS w (type, mission_id, other)
        JOIN missions m ON m.id = w.mission_id
        WHERE (o.mission_id, o.depends_on_id) <> (n.mission_id, n.depends_on_id);
    END IF;
    RETURN NULL;
END $$;
