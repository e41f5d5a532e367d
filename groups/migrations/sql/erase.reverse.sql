DROP FUNCTION erase_directory_entry(uuid);
CREATE OR REPLACE FUNCTION reject_event_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only: % rejected', TG_OP
        USING ERRCODE = 'check_violation', CONSTRAINT = 'events_append_only';
END $$;
