-- Notifies listeners, and records the summary of a completed run.
CREATE OR REPLACE FUNCTION publish_fallback_run() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_notify('project:' || NEW.project_id || ':fallback', NEW.payload::text);
    -- For pages with all projects.
    PERFORM pg_notify('fallback', NEW.payload::text);
    -- A run inserted as completed has no proposals yet; its writer records the summary.
    IF TG_OP = 'UPDATE' AND NEW.status = 'completed' AND OLD.status <> 'completed' THEN
        INSERT INTO mission_events (project_id, type, origin, actor_id, payload)
        VALUES (NEW.project_id, 'fallback.run_completed', 'fallback', audit_actor_id(), NEW.payload - 'projectId' - 'status');
        INSERT INTO project_activity (project_id, type, origin, actor_id, payload)
        VALUES (NEW.project_id, 'fallback.run_completed', 'fallback', audit_actor_id(), NEW.payload - 'projectId' - 'status');
    END IF;
    RETURN NULL;
END $$;
