-- Charges an accepted proposal to the weekly and the monthly allowance of its project. Each charge is one conditional
-- upsert, so that concurrent acceptances never exceed the quota. Undoing an acceptance releases both charges.
-- SECURITY DEFINER: other roles may not write allowances.
CREATE OR REPLACE FUNCTION spend_allowance() RETURNS trigger LANGUAGE plpgsql
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
REVOKE EXECUTE ON FUNCTION spend_allowance() FROM PUBLIC;
