-- Sets last_event_at at every change, except of list_order.
CREATE OR REPLACE FUNCTION touch_mission() RETURNS trigger LANGUAGE plpgsql
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
