-- Rejects a membership or open task in an archived group. TG_ARGV[0] names the constraint to report.
-- SECURITY DEFINER: the row lock on the group needs a privilege that the caller may lack.
CREATE OR REPLACE FUNCTION check_open_group() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    found_status text;
BEGIN
    -- The lock keeps the group from being archived until this transaction ends.
    SELECT status INTO found_status FROM groups WHERE id = NEW.group_id FOR SHARE;
    IF found_status = 'archived' THEN
        RAISE EXCEPTION 'group % is archived', NEW.group_id
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_ARGV[0];
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION check_open_group() FROM PUBLIC;
