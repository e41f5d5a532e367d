-- Starts the time to reply when a goodbye, a clarification or a reminder is sent, and stops it when the provider reports
-- that it was not delivered. Until then both dates of a goodbye are NULL, so no one becomes dormant by a message that was
-- not sent. The settings engagement.reply_within, engagement.quiet_from and engagement.quiet_to replace the defaults of
-- ENGAGEMENT_GOODBYE_EXPIRES_AFTER, ENGAGEMENT_QUIET_FROM and ENGAGEMENT_QUIET_TO; a test compares them.
CREATE OR REPLACE FUNCTION set_reply_deadline() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    deadline timestamptz;
BEGIN
    IF NEW.status = 'sent' THEN
        SELECT reply_deadline(
            NEW.sent_at, p.timezone,
            coalesce(nullif(current_setting('engagement.quiet_from', true), '')::time, '21:00'),
            coalesce(nullif(current_setting('engagement.quiet_to', true), '')::time, '08:00'),
            coalesce(nullif(current_setting('engagement.reply_within', true), '')::interval, interval '48 hours')
        ) INTO deadline FROM user_profiles p WHERE p.user_id = NEW.user_id;
        UPDATE user_engagement_states
        SET goodbye_sent_at = CASE WHEN state = 'goodbye_sent' THEN NEW.sent_at END,
            goodbye_expires_at = CASE WHEN state = 'goodbye_sent' THEN deadline END,
            reminder_expires_at = CASE WHEN state = 'remind_later' THEN deadline END
        WHERE user_id = NEW.user_id AND CASE NEW.message_type
            WHEN 'goodbye' THEN state = 'goodbye_sent' AND goodbye_sent_at IS NULL AND asked_again_at IS NULL
            WHEN 'clarification' THEN state = 'goodbye_sent' AND goodbye_sent_at IS NULL AND asked_again_at IS NOT NULL
            ELSE state = 'remind_later' AND reminder_queued_at IS NOT NULL END;
    ELSE
        UPDATE user_engagement_states SET goodbye_sent_at = NULL, goodbye_expires_at = NULL, reminder_expires_at = NULL
        WHERE user_id = NEW.user_id AND CASE NEW.message_type
            WHEN 'reminder' THEN state = 'remind_later'
            ELSE state = 'goodbye_sent' AND goodbye_sent_at = OLD.sent_at END;
    END IF;
    RETURN NULL;
END $$;
