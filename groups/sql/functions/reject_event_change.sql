-- Rejects a change of an event: events are append-only. erase_directory_entry may replace the payload.
CREATE OR REPLACE FUNCTION reject_event_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('missionsite.erasing', true) = 'on'
        AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        IF (to_jsonb(NEW) - 'payload') = (to_jsonb(OLD) - 'payload') THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'events are append-only: % rejected', TG_OP
        USING ERRCODE = 'check_violation', CONSTRAINT = 'events_append_only';
END $$;
