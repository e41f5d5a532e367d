DROP FUNCTION erase_directory_entry(uuid);
CREATE OR REPLACE FUNCTION refuse_change_of_events() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only: % refused', TG_OP
        USING ERRCODE = 'check_violation', CONSTRAINT = 'events_append_only';
END $$;
