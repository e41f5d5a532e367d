-- An item with tests, suites or sign-offs as evidence is ticked and reopened by them, not by hand.
CREATE OR REPLACE FUNCTION check_dod_evidence() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    is_met boolean;
BEGIN
    SELECT bool_and(state = 'met') INTO is_met FROM dod_evidence
    WHERE item_id = NEW.id AND kind <> 'link' AND removed_at IS NULL;
    IF NEW.completed AND NOT is_met THEN
        RAISE EXCEPTION 'the evidence of the item is not met'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'dod_items_evidence_met';
    ELSIF NOT NEW.completed AND is_met THEN
        RAISE EXCEPTION 'the item is done by its evidence'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'dod_items_evidence_ticks';
    END IF;
    RETURN NEW;
END $$;
