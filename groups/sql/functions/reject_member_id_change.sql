-- Rejects a change of a member's stable ID: other systems refer to it.
CREATE OR REPLACE FUNCTION reject_member_id_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'stable ID % cannot be changed', OLD.member_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'stable_id_never_changes';
END $$;
