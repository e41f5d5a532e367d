-- Sets updated_at with every change of a row.
CREATE FUNCTION touch_updated_at() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.updated_at := CURRENT_TIMESTAMP;
    RETURN NEW;
END $$;

-- A login does not change updated_at.
CREATE TRIGGER members_touch_updated_at BEFORE UPDATE ON members
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.* AND OLD.last_login IS NOT DISTINCT FROM NEW.last_login)
    EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER groups_touch_updated_at BEFORE UPDATE ON groups
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER tasks_touch_updated_at BEFORE UPDATE ON tasks
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();

-- Events are append-only.
CREATE FUNCTION reject_event_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only: % rejected', TG_OP
        USING ERRCODE = 'check_violation', CONSTRAINT = 'events_append_only';
END $$;

CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION reject_event_change();
CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION reject_event_change();
-- ALWAYS: also in sessions with session_replication_role = replica.
ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only;
ALTER TABLE events ENABLE ALWAYS TRIGGER events_no_truncate;
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON events FROM missionsite_app;
    END IF;
END $$;
