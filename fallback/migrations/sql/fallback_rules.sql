-- The guardrails and counts of the fallback, enforced for every writer.

-- --- Guardrails -----------------------------------------------------------------------------

-- Charges an accepted proposal to the weekly and the monthly allowance of its project. Each charge is one conditional
-- upsert, so that concurrent acceptances never exceed the quota. Undoing an acceptance releases both charges.
-- SECURITY DEFINER: other roles may not write allowances.
CREATE FUNCTION spend_allowance() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    caps record;
    decided_at timestamp;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.status = 'accepted' THEN
        IF NEW.status = 'accepted' AND NEW.estimated_effort_minutes = OLD.estimated_effort_minutes
            AND NEW.project_id = OLD.project_id THEN
            NEW.counted_week := OLD.counted_week;
            NEW.counted_month := OLD.counted_month;
            RETURN NEW;
        END IF;
        UPDATE mission_fallback_allowances SET used = used - 1
        WHERE project_id = OLD.project_id AND period = 'week' AND starts_on = OLD.counted_week;
        UPDATE mission_fallback_allowances SET used = used - OLD.estimated_effort_minutes
        WHERE project_id = OLD.project_id AND period = 'month' AND starts_on = OLD.counted_month;
    END IF;
    NEW.counted_week := NULL;
    NEW.counted_month := NULL;
    IF NEW.status <> 'accepted' THEN
        RETURN NEW;
    END IF;
    IF NEW.mission_id IS NULL THEN
        RAISE EXCEPTION 'an accepted proposal needs a mission'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'mission_fallback_items_accepted_has_mission';
    END IF;
    NEW.reviewed_at := coalesce(NEW.reviewed_at, CURRENT_TIMESTAMP);
    SELECT coalesce(c.weekly_mission_cap, 20) AS week, coalesce(c.monthly_target_hours, 120) * 60 AS month, o.timezone
    INTO caps
    FROM projects p JOIN organizations o ON o.id = p.organization_id
    LEFT JOIN mission_fallback_configs c ON c.project_id = p.id
    WHERE p.id = NEW.project_id;
    -- clock_timestamp(), because a transaction that began on Sunday may accept on Monday.
    decided_at := CASE WHEN NEW.reviewed_at = CURRENT_TIMESTAMP THEN clock_timestamp() ELSE NEW.reviewed_at END
        AT TIME ZONE caps.timezone;
    NEW.counted_week := date_trunc('week', decided_at)::date;
    NEW.counted_month := date_trunc('month', decided_at)::date;
    INSERT INTO mission_fallback_allowances AS a (project_id, period, starts_on, used, allowed)
    SELECT NEW.project_id, 'week', NEW.counted_week, 1, caps.week WHERE caps.week >= 1
    ON CONFLICT (project_id, period, starts_on) DO UPDATE SET used = a.used + 1, allowed = excluded.allowed
        WHERE a.used + 1 <= excluded.allowed;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'weekly cap reached in the week of %', NEW.counted_week
            USING ERRCODE = 'check_violation', CONSTRAINT = 'fallback_weekly_mission_cap';
    END IF;
    INSERT INTO mission_fallback_allowances AS a (project_id, period, starts_on, used, allowed)
    SELECT NEW.project_id, 'month', NEW.counted_month, NEW.estimated_effort_minutes, caps.month
    WHERE caps.month >= NEW.estimated_effort_minutes
    ON CONFLICT (project_id, period, starts_on) DO UPDATE
        SET used = a.used + excluded.used, allowed = excluded.allowed
        WHERE a.used + excluded.used <= excluded.allowed;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'monthly hours used up in the month of %', NEW.counted_month
            USING ERRCODE = 'check_violation', CONSTRAINT = 'fallback_monthly_target_hours';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mission_fallback_items_spend BEFORE INSERT OR UPDATE ON mission_fallback_items
    FOR EACH ROW EXECUTE FUNCTION spend_allowance();

DO $$ BEGIN
    REVOKE EXECUTE ON FUNCTION spend_allowance() FROM PUBLIC;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE INSERT, UPDATE, DELETE ON mission_fallback_allowances FROM missionsite_app;
    END IF;
END $$;

-- Checks that a fallback mission and its accepted proposal link to each other and are of one project.
-- Deferred to the commit, because one of the two is written first.
CREATE FUNCTION check_fallback_mission() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
    wrong boolean;
BEGIN
    IF TG_TABLE_NAME = 'missions' THEN
        SELECT NOT EXISTS (
            SELECT FROM mission_fallback_items i WHERE i.id = m.fallback_item_id AND i.mission_id = m.id
                AND i.status = 'accepted' AND i.project_id = m.project_id)
        INTO wrong FROM missions m
        WHERE m.id = NEW.id AND (m.fallback_item_id IS NOT NULL OR (TG_OP = 'INSERT' AND m.origin = 'fallback'));
    ELSE
        wrong := EXISTS (
            SELECT FROM missions m LEFT JOIN mission_fallback_items i ON i.id = NEW.id AND i.status = 'accepted'
                AND i.mission_id = m.id
            WHERE m.fallback_item_id = NEW.id AND i.id IS NULL
        ) OR EXISTS (
            SELECT FROM mission_fallback_items i JOIN missions m ON m.id = i.mission_id
            WHERE i.id = NEW.id AND (m.fallback_item_id IS DISTINCT FROM i.id OR m.project_id <> i.project_id));
    END IF;
    IF wrong THEN
        RAISE EXCEPTION '% %: a fallback mission and its accepted proposal must link to each other', TG_TABLE_NAME, NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'missions_fallback_was_accepted';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER missions_fallback_was_accepted AFTER INSERT OR UPDATE OF fallback_item_id ON missions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.origin = 'fallback')
    EXECUTE FUNCTION check_fallback_mission();
CREATE CONSTRAINT TRIGGER mission_fallback_items_mission_links_back
    AFTER INSERT OR UPDATE OF status, mission_id, project_id ON mission_fallback_items
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_fallback_mission();

-- Reject changes of a mission's origin and project.
CREATE FUNCTION reject_mission_origin_change() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'the origin of mission % is immutable', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'missions_origin_immutable';
END $$;
CREATE FUNCTION reject_mission_project_change() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'the project of mission % is immutable', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'missions_project_immutable';
END $$;
CREATE TRIGGER missions_project_immutable BEFORE UPDATE OF project_id ON missions
    FOR EACH ROW WHEN (OLD.project_id <> NEW.project_id) EXECUTE FUNCTION reject_mission_project_change();
CREATE TRIGGER missions_origin_immutable BEFORE UPDATE OF origin ON missions
    FOR EACH ROW WHEN (OLD.origin <> NEW.origin) EXECUTE FUNCTION reject_mission_origin_change();

-- --- Counts of a run ------------------------------------------------------------------------

-- Updates the counts of runs after each statement on items. Runs are locked in the order of their keys, so that two
-- statements cannot deadlock.
CREATE FUNCTION count_fallback_items() RETURNS trigger LANGUAGE plpgsql
AS $$
DECLARE
    deltas jsonb;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT jsonb_object_agg(run, d) INTO deltas FROM (
            SELECT mission_fallback_run_id AS run, jsonb_build_array(count(*),
                count(*) FILTER (WHERE status = 'accepted'), count(*) FILTER (WHERE status = 'discarded')) AS d
            FROM new_rows GROUP BY 1) x;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT jsonb_object_agg(run, d) INTO deltas FROM (
            SELECT mission_fallback_run_id AS run, jsonb_build_array(-count(*),
                -count(*) FILTER (WHERE status = 'accepted'), -count(*) FILTER (WHERE status = 'discarded')) AS d
            FROM old_rows GROUP BY 1) x;
    ELSE
        SELECT jsonb_object_agg(run, d) INTO deltas FROM (
            SELECT run, jsonb_build_array(sum(s), sum(s) FILTER (WHERE status = 'accepted'),
                sum(s) FILTER (WHERE status = 'discarded')) AS d
            FROM (SELECT mission_fallback_run_id AS run, status, 1 AS s FROM new_rows
                  UNION ALL SELECT mission_fallback_run_id, status, -1 FROM old_rows) both_rows
            GROUP BY run
            HAVING sum(s) <> 0 OR coalesce(sum(s) FILTER (WHERE status = 'accepted'), 0) <> 0
                OR coalesce(sum(s) FILTER (WHERE status = 'discarded'), 0) <> 0) x;
    END IF;
    IF deltas IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM FROM mission_fallback_runs r WHERE r.id IN (SELECT jsonb_object_keys(deltas)) ORDER BY r.id
        FOR NO KEY UPDATE;
    UPDATE mission_fallback_runs r SET
        generated_count = r.generated_count + (d.value ->> 0)::integer,
        accepted_count = r.accepted_count + coalesce((d.value ->> 1)::integer, 0),
        discarded_count = r.discarded_count + coalesce((d.value ->> 2)::integer, 0)
    FROM jsonb_each(deltas) d WHERE r.id = d.key;
    RETURN NULL;
END $$;
CREATE TRIGGER mission_fallback_items_count_new AFTER INSERT ON mission_fallback_items
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_fallback_items();
CREATE TRIGGER mission_fallback_items_count_changed AFTER UPDATE ON mission_fallback_items
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_fallback_items();
CREATE TRIGGER mission_fallback_items_count_gone AFTER DELETE ON mission_fallback_items
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_fallback_items();

CREATE FUNCTION reset_fallback_counts() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE mission_fallback_runs SET generated_count = 0, accepted_count = 0, discarded_count = 0
    WHERE generated_count > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER mission_fallback_items_count_truncated AFTER TRUNCATE ON mission_fallback_items
    FOR EACH STATEMENT EXECUTE FUNCTION reset_fallback_counts();

-- Writers lock an item before its run, and a dependent mission before the one it depends on; deletions of runs, projects
-- and missions lock in the opposite order. To prevent deadlocks, writers share an advisory lock that deletions take
-- exclusively, before any row. A transaction that writes first and deletes later must take it exclusively at its start
-- (services do).
CREATE FUNCTION take_shared_fallback_lock() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('fallback_rows', 0));
    RETURN NULL;
END $$;
CREATE FUNCTION take_exclusive_fallback_lock() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('fallback_rows', 0));
    RETURN NULL;
END $$;
CREATE TRIGGER mission_fallback_items_shared_lock BEFORE INSERT OR UPDATE OR DELETE ON mission_fallback_items
    FOR EACH STATEMENT EXECUTE FUNCTION take_shared_fallback_lock();
CREATE TRIGGER mission_dependencies_shared_lock BEFORE INSERT OR UPDATE OR DELETE ON mission_dependencies
    FOR EACH STATEMENT EXECUTE FUNCTION take_shared_fallback_lock();
CREATE TRIGGER missions_shared_lock BEFORE INSERT OR UPDATE ON missions
    FOR EACH STATEMENT EXECUTE FUNCTION take_shared_fallback_lock();
CREATE TRIGGER missions_exclusive_lock BEFORE DELETE ON missions
    FOR EACH STATEMENT EXECUTE FUNCTION take_exclusive_fallback_lock();
CREATE TRIGGER mission_fallback_runs_exclusive_lock BEFORE DELETE ON mission_fallback_runs
    FOR EACH STATEMENT EXECUTE FUNCTION take_exclusive_fallback_lock();
CREATE TRIGGER projects_exclusive_lock BEFORE DELETE ON projects
    FOR EACH STATEMENT EXECUTE FUNCTION take_exclusive_fallback_lock();

-- --- Status of a run ------------------------------------------------------------------------

-- Derives the fields of a run. Counts cannot be set by an UPDATE. A run is completed when no proposal is open, and
-- reopened when a decision is undone. `payload` is what publish_fallback_run() sends.
CREATE FUNCTION derive_fallback_run() RETURNS trigger LANGUAGE plpgsql
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
CREATE TRIGGER mission_fallback_runs_derive BEFORE INSERT OR UPDATE ON mission_fallback_runs
    FOR EACH ROW EXECUTE FUNCTION derive_fallback_run();

-- Notifies listeners, and records the summary of a completed run.
CREATE FUNCTION publish_fallback_run() RETURNS trigger LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_notify('project:' || NEW.project_id || ':fallback', NEW.payload::text);
    -- For pages with all projects.
    PERFORM pg_notify('fallback', NEW.payload::text);
    -- A run inserted as completed has no proposals yet; its writer records the summary.
    IF TG_OP = 'UPDATE' AND NEW.status = 'completed' AND OLD.status <> 'completed' THEN
        INSERT INTO mission_events (project_id, type, origin, actor_id, payload)
        VALUES (NEW.project_id, 'fallback.run_completed', 'fallback', audit_actor(), NEW.payload - 'projectId' - 'status');
        INSERT INTO project_activity (project_id, type, origin, actor_id, payload)
        VALUES (NEW.project_id, 'fallback.run_completed', 'fallback', audit_actor(), NEW.payload - 'projectId' - 'status');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER mission_fallback_runs_publish_new AFTER INSERT ON mission_fallback_runs
    FOR EACH ROW EXECUTE FUNCTION publish_fallback_run();
CREATE TRIGGER mission_fallback_runs_publish AFTER UPDATE ON mission_fallback_runs
    FOR EACH ROW WHEN (OLD.payload <> NEW.payload) EXECUTE FUNCTION publish_fallback_run();

-- Runs whose stored counts differ from their items; used by the nightly job. Always empty.
CREATE FUNCTION drifted_fallback_runs() RETURNS TABLE (run_id varchar, actual integer[], stored integer[])
LANGUAGE sql STABLE
AS $$
    SELECT r.id, c.n, ARRAY[r.generated_count, r.accepted_count, r.discarded_count]
    FROM mission_fallback_runs r
    CROSS JOIN LATERAL (
        SELECT ARRAY[count(*), count(*) FILTER (WHERE i.status = 'accepted'),
            count(*) FILTER (WHERE i.status = 'discarded')]::integer[] AS n
        FROM mission_fallback_items i WHERE i.mission_fallback_run_id = r.id
    ) c
    WHERE c.n <> ARRAY[r.generated_count, r.accepted_count, r.discarded_count]
$$;
CREATE FUNCTION drifted_missions() RETURNS TABLE (mission_id varchar, actual integer[], stored integer[])
LANGUAGE sql STABLE
AS $$
    SELECT m.id, c.n, ARRAY[m.dependency_count, m.open_dependency_count]
    FROM missions m
    CROSS JOIN LATERAL (
        SELECT ARRAY[count(*), count(*) FILTER (WHERE d.list <> 'done')]::integer[] AS n
        FROM mission_dependencies x JOIN missions d ON d.id = x.depends_on_id WHERE x.mission_id = m.id
    ) c
    WHERE c.n <> ARRAY[m.dependency_count, m.open_dependency_count]
$$;

-- --- The check ------------------------------------------------------------------------------

-- All projects whose check is due, with backlog, open proposals and deficit.
-- Counting stops at the threshold, so that a project with a large backlog costs no more than one with a small one.
CREATE FUNCTION due_fallback_projects(at timestamptz DEFAULT CURRENT_TIMESTAMP)
RETURNS TABLE (project_id varchar, backlog_threshold integer, backlog_count bigint, proposed_count bigint, deficit bigint)
LANGUAGE sql STABLE
AS $$
    SELECT c.project_id, c.backlog_threshold, b.n, coalesce(p.n, 0),
        greatest(0, c.backlog_threshold - b.n - coalesce(p.n, 0))
    FROM mission_fallback_configs c
    JOIN projects r ON r.id = c.project_id AND r.status = 'active' AND r.fallback_enabled
    JOIN organizations o ON o.id = r.organization_id AND o.fallback_enabled
        AND r.rollout_bucket < o.fallback_rollout_percent
    CROSS JOIN LATERAL (
        SELECT count(*) FROM (
            SELECT FROM missions m
            WHERE m.project_id = c.project_id AND m.list = 'todo' AND m.ready AND m.open_dependency_count = 0
            LIMIT c.backlog_threshold) x
    ) b (n)
    -- Open proposals are few: counted once for all projects, not once per project.
    LEFT JOIN (
        SELECT i.project_id, count(*) FROM mission_fallback_items i WHERE i.status = 'proposed' GROUP BY i.project_id
    ) p (project_id, n) ON p.project_id = c.project_id
    WHERE (c.status = 'active' OR (c.status = 'snoozed' AND c.snoozed_until <= at))
      AND (c.last_run_at IS NULL OR c.last_run_at + c.check_cadence_minutes * interval '1 minute' <= at)
$$;
