-- Drops the triggers and their functions; rights on events are dropped with the table.
DROP TRIGGER events_no_truncate ON events;
DROP TRIGGER events_append_only ON events;
DROP FUNCTION reject_event_change();
DROP TRIGGER tasks_touch_updated_at ON tasks;
DROP TRIGGER groups_touch_updated_at ON groups;
DROP TRIGGER members_touch_updated_at ON members;
DROP FUNCTION touch_updated_at();
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT UPDATE, DELETE ON events TO missionsite_app;
    END IF;
END $$;
