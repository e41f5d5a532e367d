-- Assigns the stable ID of a new group: FE-G-... for a colony, FE-M-... for a mission.
CREATE OR REPLACE FUNCTION assign_group_stable_id() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    kind "char" := CASE NEW.type WHEN 'colony' THEN 'G' ELSE 'M' END;
BEGIN
    IF coalesce(NEW.stable_id, '') = '' THEN
        NEW.stable_id := next_stable_id(kind);
    ELSE
        PERFORM claim_stable_id(kind, NEW.stable_id);
    END IF;
    -- A colony has no threshold; the column's default of 0 counts as none.
    IF NEW.type = 'colony' AND NEW.min_trust_score = 0 THEN
        NEW.min_trust_score := NULL;
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION assign_group_stable_id() FROM PUBLIC;
