-- Records what people and other systems are told about a mission: states of test runs, items that evidence reopened, and
-- completions. A mission has one notice of a kind about a subject.
CREATE OR REPLACE FUNCTION record_deck_notice() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_TABLE_NAME = 'test_runs' THEN
        INSERT INTO deck_notices (mission_id, kind, subject, payload)
        SELECT NEW.mission_id, CASE NEW.status WHEN 'running' THEN 'run.started' ELSE 'run.' || NEW.status END, NEW.id,
            jsonb_build_object('run', NEW.id, 'suite', NEW.job, 'commit', NEW.commit)
        WHERE NEW.status IN ('running', 'passed', 'failed') ON CONFLICT DO NOTHING;
    ELSIF TG_TABLE_NAME = 'dod_evidence_changes' THEN
        INSERT INTO deck_notices (mission_id, kind, subject, payload)
        SELECT NEW.mission_id, 'item.reopened', NEW.id, jsonb_build_object('item', i.text, 'run', NEW.run_id)
        FROM dod_items i WHERE i.id = NEW.item_id ON CONFLICT DO NOTHING;
    ELSE
        INSERT INTO deck_notices (mission_id, kind, subject, payload)
        VALUES (NEW.mission_id, 'mission.completed', NEW.id, jsonb_build_object('is_override', NEW.is_override))
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION record_deck_notice() FROM PUBLIC;
