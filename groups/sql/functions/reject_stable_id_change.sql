-- Rejects a change of a stable ID: other systems refer to it.
CREATE OR REPLACE FUNCTION reject_stable_id_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'stable ID % cannot be changed', OLD.stable_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'stable_id_never_changes';
END $$;
