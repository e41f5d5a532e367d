-- Rejects a merge into an entry that was merged.
CREATE OR REPLACE FUNCTION guard_entry_merge() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM community_members WHERE member_id = NEW.merged_into AND merged_into IS NOT NULL) THEN
        RAISE EXCEPTION '% was merged', NEW.merged_into
            USING ERRCODE = 'check_violation', CONSTRAINT = 'community_members_merge_target';
    END IF;
    RETURN NEW;
END $$;
