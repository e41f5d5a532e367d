-- Counts the goodbyes in a row that had no real answer: those that ended in silence, also after a snooze, or in a message
-- and nothing else, which the setting engagement.metadata says. Activity on three different days in the member's time zone
-- sets the count to 0; the day of a message that was counted is none of them.
CREATE OR REPLACE FUNCTION count_unanswered_goodbyes() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    trigger_name CONSTANT text := current_setting('engagement.trigger', true);
    day CONSTANT date := (
        SELECT (NEW.last_activity_at AT TIME ZONE p.timezone)::date FROM user_profiles p WHERE p.user_id = NEW.user_id
    );
BEGIN
    IF NEW.state <> OLD.state AND (
        trigger_name IN ('goodbye_timeout', 'reminder_due')
        OR (trigger_name = 'user_message'
            AND nullif(current_setting('engagement.metadata', true), '')::jsonb ->> 'response_type' = 'message')
    ) THEN
        NEW.unanswered_goodbyes := least(OLD.unanswered_goodbyes + 1, 100);
        NEW.active_days := 0;
        NEW.active_on := day;
    ELSIF OLD.unanswered_goodbyes > 0 AND NEW.last_activity_at > coalesce(OLD.last_activity_at, '-infinity')
        AND day > coalesce(OLD.active_on, '-infinity') THEN
        NEW.active_days := OLD.active_days + 1;
        NEW.active_on := day;
        IF NEW.active_days >= 3 THEN
            NEW.unanswered_goodbyes := 0;
            NEW.active_days := 0;
            NEW.active_on := NULL;
        END IF;
    END IF;
    RETURN NEW;
END $$;
