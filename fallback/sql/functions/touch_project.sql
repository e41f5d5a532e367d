-- Sets updated_at when a project changes. Generated columns are computed after BEFORE triggers, so OLD.* and NEW.*
-- cannot be compared in the trigger's condition.
CREATE OR REPLACE FUNCTION touch_project() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    IF to_jsonb(OLD) - 'rollout_bucket' <> to_jsonb(NEW) - 'rollout_bucket' THEN
        NEW.updated_at := CURRENT_TIMESTAMP;
    END IF;
    RETURN NEW;
END $$;
