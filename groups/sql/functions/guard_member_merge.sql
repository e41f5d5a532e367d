-- Rejects a merge into an account that was merged.
CREATE OR REPLACE FUNCTION guard_member_merge() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM members WHERE id = NEW.merged_into_id AND merged_into_id IS NOT NULL) THEN
        RAISE EXCEPTION 'member % was merged', NEW.merged_into_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'members_merge_target';
    END IF;
    RETURN NEW;
END $$;
