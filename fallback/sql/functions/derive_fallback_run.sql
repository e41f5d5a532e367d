-- Derives the fields of a run. Counts cannot be set by an UPDATE. A run is completed when no proposal is open, and
-- reopened when a decision is undone. `payload` is what publish_fallback_run() sends.
CREATE OR REPLACE FUNCTION derive_fallback_run() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.generated_count := 0;
        NEW.accepted_count := 0;
        NEW.discarded_count := 0;
    ELSE
        IF pg_trigger_depth() = 1 THEN
            NEW.generated_count := OLD.generated_count;
            NEW.accepted_count := OLD.accepted_count;
            NEW.discarded_count := OLD.discarded_count;
        END IF;
        IF NEW.status IN ('awaiting_review', 'completed') THEN
            IF NEW.generated_count > NEW.accepted_count + NEW.discarded_count THEN
                NEW.status := 'awaiting_review';
            ELSIF NEW.generated_count > 0 THEN
                NEW.status := 'completed';
            END IF;
        END IF;
    END IF;
    IF NEW.status IN ('completed', 'cancelled', 'errored') THEN
        NEW.completed_at := coalesce(NEW.completed_at, CURRENT_TIMESTAMP);
    ELSE
        NEW.completed_at := NULL;
    END IF;
    -- A change of status or counts makes the report obsolete: it is written again at the end of the run.
    IF TG_OP = 'UPDATE' AND (NEW.status, NEW.accepted_count, NEW.discarded_count)
        IS DISTINCT FROM (OLD.status, OLD.accepted_count, OLD.discarded_count) THEN
        NEW.report_path := '';
    END IF;
    NEW.payload := jsonb_build_object('runId', NEW.id, 'projectId', NEW.project_id, 'status', NEW.status,
        'generated', NEW.generated_count, 'accepted', NEW.accepted_count, 'discarded', NEW.discarded_count);
    RETURN NEW;
END $$;
