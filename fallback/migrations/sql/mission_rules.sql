-- Triggers of missions: time of change, timeline and dependencies.

-- Counts the dependencies of existing rows, before there are triggers.
UPDATE missions m SET dependency_count = c.every, open_dependency_count = c.open
FROM (
    SELECT x.mission_id AS id, count(*) AS every, count(*) FILTER (WHERE d.list <> 'done') AS open
    FROM mission_dependencies x JOIN missions d ON d.id = x.depends_on_id GROUP BY 1
) c
WHERE m.id = c.id AND (m.dependency_count, m.open_dependency_count) IS DISTINCT FROM (c.every, c.open);

-- Actor of the transaction, set by services.
CREATE FUNCTION audit_actor() RETURNS uuid LANGUAGE sql STABLE
AS $$ SELECT nullif(current_setting('app.actor_id', true), '')::uuid $$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['organizations', 'organization_memberships', 'project_members',
        'project_repositories', 'flows', 'actors', 'github_pull_requests', 'workstations', 'workstation_worktrees',
        'notification_preferences', 'access_requests', 'mission_fallback_configs', 'mission_fallback_templates',
        'mission_fallback_items'] LOOP
        EXECUTE format('CREATE TRIGGER %I BEFORE UPDATE ON %I FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
            EXECUTE FUNCTION touch_updated_at()', name || '_touch_updated_at', name);
    END LOOP;
END $$;
-- Generated columns are computed after BEFORE triggers, so OLD.* and NEW.* cannot be compared here.
CREATE FUNCTION touch_project() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    IF to_jsonb(OLD) - 'rollout_bucket' <> to_jsonb(NEW) - 'rollout_bucket' THEN
        NEW.updated_at := CURRENT_TIMESTAMP;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER projects_touch_updated_at BEFORE UPDATE ON projects
    FOR EACH ROW EXECUTE FUNCTION touch_project();

CREATE FUNCTION check_organization_timezone() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM now() AT TIME ZONE NEW.timezone;
    RETURN NEW;
EXCEPTION WHEN invalid_parameter_value THEN
    RAISE EXCEPTION 'unknown time zone %', NEW.timezone
        USING ERRCODE = 'check_violation', CONSTRAINT = 'organizations_timezone_valid';
END $$;
CREATE TRIGGER organizations_timezone_valid BEFORE INSERT OR UPDATE OF timezone ON organizations
    FOR EACH ROW EXECUTE FUNCTION check_organization_timezone();

-- --- Timeline -------------------------------------------------------------------------------

-- Sets last_event_at at every change, except of list_order.
CREATE FUNCTION touch_mission() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.last_event_at := coalesce(NEW.last_event_at, CURRENT_TIMESTAMP);
        NEW.dependency_count := 0;
        NEW.open_dependency_count := 0;
        RETURN NEW;
    END IF;
    -- Counts cannot be set by an UPDATE: only the triggers below, at a greater depth, change them.
    IF pg_trigger_depth() = 1 THEN
        NEW.dependency_count := OLD.dependency_count;
        NEW.open_dependency_count := OLD.open_dependency_count;
    END IF;
    NEW.updated_at := CURRENT_TIMESTAMP;
    IF (to_jsonb(OLD) - '{updated_at,last_event_at,list_order,dependency_count}'::text[])
        IS DISTINCT FROM (to_jsonb(NEW) - '{updated_at,last_event_at,list_order,dependency_count}'::text[]) THEN
        NEW.last_event_at := CURRENT_TIMESTAMP;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER missions_touch_new BEFORE INSERT ON missions FOR EACH ROW EXECUTE FUNCTION touch_mission();
CREATE TRIGGER missions_touch BEFORE UPDATE ON missions
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_mission();

CREATE FUNCTION record_new_missions() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
    project record;
BEGIN
    INSERT INTO mission_events (project_id, mission_id, type, origin, actor_id, payload)
    SELECT n.project_id, n.id, 'mission.created', audit_origin(), audit_actor(),
        jsonb_strip_nulls(jsonb_build_object(
            'list', n.list, 'ready', n.ready, 'origin', n.origin, 'item', n.fallback_item_id))
    FROM new_rows n;
    FOR project IN SELECT DISTINCT n.project_id AS id FROM new_rows n LOOP
        PERFORM pg_notify('project:' || project.id || ':board', json_build_object('projectId', project.id)::text);
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER missions_record_new AFTER INSERT ON missions
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION record_new_missions();

CREATE FUNCTION record_mission_changes() RETURNS trigger LANGUAGE plpgsql
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
        audit_origin(), audit_actor(), jsonb_build_object('changed', c.changed)
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
CREATE TRIGGER missions_record_changes AFTER UPDATE ON missions
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION record_mission_changes();

-- --- Dependencies ---------------------------------------------------------------------------

-- Checks that both missions are of one project and that dependencies have no cycle. A lock per project makes additions
-- sequential: two concurrent ones that form a cycle together would not see each other.
CREATE FUNCTION check_dependency() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
    projects text[];
BEGIN
    SELECT array_agg(DISTINCT project_id) INTO projects FROM missions WHERE id IN (NEW.mission_id, NEW.depends_on_id);
    IF cardinality(projects) > 1 THEN
        RAISE EXCEPTION 'missions % and % are of different projects', NEW.mission_id, NEW.depends_on_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'mission_dependencies_within_project';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('mission_dependencies:' || projects[1], 0));
    IF EXISTS (
        WITH RECURSIVE needed (id) AS (
            VALUES (NEW.depends_on_id)
            UNION
            SELECT d.depends_on_id FROM mission_dependencies d JOIN needed n ON d.mission_id = n.id
        )
        SELECT FROM needed WHERE id = NEW.mission_id
    ) THEN
        RAISE EXCEPTION 'mission % would depend on itself', NEW.mission_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'mission_dependencies_no_cycle';
    END IF;
    -- Lock the mission it depends on until the commit, because the count below depends on its list. It is locked before
    -- the dependent mission, as at a change of its list, so that the two cannot deadlock.
    PERFORM FROM missions WHERE id = NEW.depends_on_id FOR NO KEY UPDATE;
    RETURN NEW;
END $$;
CREATE TRIGGER mission_dependencies_no_cycle BEFORE INSERT OR UPDATE ON mission_dependencies
    FOR EACH ROW EXECUTE FUNCTION check_dependency();

-- Recounts the dependencies of missions. The lock waits for other transactions that change the same counts.
CREATE FUNCTION recount_dependencies(of_missions text[]) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM FROM missions WHERE id = ANY (of_missions) ORDER BY id FOR NO KEY UPDATE;
    UPDATE missions m SET dependency_count = c.every, open_dependency_count = c.open
    FROM unnest(of_missions) AS w (id)
    CROSS JOIN LATERAL (
        SELECT count(*) AS every, count(*) FILTER (WHERE d.list <> 'done') AS open
        FROM mission_dependencies x JOIN missions d ON d.id = x.depends_on_id WHERE x.mission_id = w.id
    ) c
    WHERE m.id = w.id AND (m.dependency_count, m.open_dependency_count) IS DISTINCT FROM (c.every, c.open);
END $$;

CREATE FUNCTION count_dependencies() RETURNS trigger LANGUAGE plpgsql
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
        SELECT m.project_id, m.id, 'mission.dependency_added', audit_origin(), audit_actor(),
            jsonb_build_object('dependsOn', n.depends_on_id)
        FROM new_rows n JOIN missions m ON m.id = n.mission_id;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO mission_events (project_id, mission_id, type, origin, actor_id, payload)
        SELECT m.project_id, m.id, 'mission.dependency_removed', audit_origin(), audit_actor(),
            jsonb_build_object('dependsOn', o.depends_on_id)
        FROM old_rows o JOIN missions m ON m.id = o.mission_id;
    ELSE
        INSERT INTO mission_events (project_id, mission_id, type, origin, actor_id, payload)
        SELECT m.project_id, m.id, w.type, audit_origin(), audit_actor(), jsonb_build_object('dependsOn', w.other)
        FROM new_rows n JOIN old_rows o ON o.id = n.id
        CROSS JOIN LATERAL (VALUES ('mission.dependency_removed', o.mission_id, o.depends_on_id),
            ('mission.dependency_added', n.mission_id, n.depends_on_id)) AS w (type, mission_id, other)
        JOIN missions m ON m.id = w.mission_id
        WHERE (o.mission_id, o.depends_on_id) <> (n.mission_id, n.depends_on_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER mission_dependencies_count_new AFTER INSERT ON mission_dependencies
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_dependencies();
CREATE TRIGGER mission_dependencies_count_changed AFTER UPDATE ON mission_dependencies
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_dependencies();
CREATE TRIGGER mission_dependencies_count_gone AFTER DELETE ON mission_dependencies
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_dependencies();

-- Updates open_dependency_count of dependent missions when a mission enters or leaves the list done.
CREATE FUNCTION count_dependents() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
    dependents text[];
BEGIN
    SELECT array_agg(DISTINCT d.mission_id) INTO dependents
    FROM new_rows n JOIN old_rows o ON o.id = n.id JOIN mission_dependencies d ON d.depends_on_id = n.id
    WHERE (n.list = 'done') <> (o.list = 'done');
    IF dependents IS NOT NULL THEN
        PERFORM recount_dependencies(dependents);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER missions_count_dependents AFTER UPDATE ON missions
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_dependents();

-- Timelines are append-only; rows are deleted only with their mission or project.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE UPDATE, DELETE ON mission_events, project_activity, audit_events FROM missionsite_app;
    END IF;
END $$;
