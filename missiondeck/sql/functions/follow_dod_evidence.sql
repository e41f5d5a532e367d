-- Refreshes the evidence of a mission when one of its runs, or its evidence itself, changed. SECURITY DEFINER, because the
-- role of the site may not call refresh_dod_evidence().
CREATE OR REPLACE FUNCTION follow_dod_evidence() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    of_mission uuid;
BEGIN
    IF TG_TABLE_NAME = 'test_runs' THEN
        of_mission := NEW.mission_id;
    ELSE
        SELECT mission_id INTO of_mission FROM dod_items WHERE id = NEW.item_id;
    END IF;
    PERFORM refresh_dod_evidence(of_mission);
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION follow_dod_evidence() FROM PUBLIC;
