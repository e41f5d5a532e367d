-- Rules of the message queue and of profiles.

-- Allowed status changes: pending to sent, failed or cancelled; failed to pending (retry) or cancelled; sent to failed,
-- when the provider reports later that it could not deliver. Cancelled is final.
CREATE FUNCTION reject_message_move() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'message % is % and cannot become %', OLD.id, OLD.status, NEW.status
        USING ERRCODE = 'check_violation', CONSTRAINT = 'engagement_message_queue_moves';
END $$;
CREATE TRIGGER engagement_message_queue_moves BEFORE UPDATE ON engagement_message_queue
    FOR EACH ROW
    WHEN (OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
        ('pending', 'sent'), ('pending', 'failed'), ('pending', 'cancelled'),
        ('failed', 'pending'), ('failed', 'cancelled'), ('sent', 'failed')
    ))
    EXECUTE FUNCTION reject_message_move();

CREATE FUNCTION reject_message_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'the recipient, type and key of message % cannot change', OLD.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'engagement_message_queue_immutable';
END $$;
CREATE TRIGGER engagement_message_queue_immutable BEFORE UPDATE ON engagement_message_queue
    FOR EACH ROW
    WHEN (OLD.idempotency_key <> NEW.idempotency_key OR OLD.user_id <> NEW.user_id
        OR OLD.message_type <> NEW.message_type OR OLD.id <> NEW.id)
    EXECUTE FUNCTION reject_message_change();
ALTER TABLE engagement_message_queue ADD CONSTRAINT engagement_message_queue_params_object
    CHECK (jsonb_typeof(message_params) = 'object');
ALTER TABLE engagement_message_queue SET (
    fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02
);
ALTER TABLE engagement_attention SET (fillfactor = 50);
ALTER TABLE engagement_transports SET (fillfactor = 50);
ALTER TABLE engagement_claims SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- Creates the profile of each new member.
CREATE FUNCTION create_member_profiles() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO user_profiles (user_id) SELECT id FROM new_rows;
    INSERT INTO engagement_attention (user_id) SELECT id FROM new_rows;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION create_member_profiles() FROM PUBLIC;
CREATE TRIGGER members_profiles AFTER INSERT ON members
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION create_member_profiles();
INSERT INTO user_profiles (user_id) SELECT id FROM members ON CONFLICT DO NOTHING;
INSERT INTO engagement_attention (user_id) SELECT id FROM members ON CONFLICT DO NOTHING;

-- Rejects a time zone that PostgreSQL does not know: it would make every claim of this member's messages fail.
CREATE FUNCTION check_profile_timezone() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    BEGIN
        IF NEW.timezone ~ '^(UTC|[A-Za-z_]+(/[A-Za-z0-9_+-]+)+)$' THEN
            PERFORM now() AT TIME ZONE NEW.timezone;
            RETURN NEW;
        END IF;
    EXCEPTION WHEN invalid_parameter_value THEN
        NULL;
    END;
    RAISE EXCEPTION 'no time zone: %', NEW.timezone
        USING ERRCODE = 'check_violation', CONSTRAINT = 'user_profiles_timezone_known';
END $$;
CREATE TRIGGER user_profiles_timezone_inserted BEFORE INSERT ON user_profiles
    FOR EACH ROW WHEN (NEW.timezone <> 'UTC') EXECUTE FUNCTION check_profile_timezone();
CREATE TRIGGER user_profiles_timezone_changed BEFORE UPDATE ON user_profiles
    FOR EACH ROW WHEN (OLD.timezone <> NEW.timezone) EXECUTE FUNCTION check_profile_timezone();

-- Updates the destination of pending messages when a profile changes.
CREATE FUNCTION redirect_pending_messages() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE engagement_message_queue
    SET destination = NEW.preferred_destination,
        destination_jid = CASE NEW.preferred_destination WHEN 'group' THEN NEW.group_jid ELSE NEW.individual_jid END
    WHERE user_id = NEW.user_id AND status IN ('pending', 'failed') AND attempt_token IS NULL;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION redirect_pending_messages() FROM PUBLIC;
CREATE TRIGGER user_profiles_redirect AFTER UPDATE ON user_profiles
    FOR EACH ROW
    WHEN ((OLD.preferred_destination, OLD.individual_jid, OLD.group_jid)
        IS DISTINCT FROM (NEW.preferred_destination, NEW.individual_jid, NEW.group_jid))
    EXECUTE FUNCTION redirect_pending_messages();

-- Returns the end of the quiet hours at an instant in a zone, or NULL outside of them. They may span midnight.
CREATE FUNCTION quiet_until(at timestamptz, zone text, quiet_from time, quiet_to time) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
    WHEN CASE WHEN quiet_from <= quiet_to
            THEN (at AT TIME ZONE zone)::time >= quiet_from AND (at AT TIME ZONE zone)::time < quiet_to
            ELSE (at AT TIME ZONE zone)::time >= quiet_from OR (at AT TIME ZONE zone)::time < quiet_to END
    -- During the repeated hour of a clock change, the end may be in the past.
    THEN greatest(
        ((at AT TIME ZONE zone)::date
            + CASE WHEN quiet_from > quiet_to AND (at AT TIME ZONE zone)::time >= quiet_from THEN 1 ELSE 0 END
            + quiet_to) AT TIME ZONE zone,
        at + interval '1 minute'
    )
END;

-- Returns the members who were sent more unsolicited messages than the cap in some period of this length. Always empty;
-- tests use it to prove the frequency cap from the sent messages.
CREATE FUNCTION members_over_frequency_cap(cap integer, period interval)
RETURNS TABLE (user_id uuid, ends_at timestamptz, messages bigint)
LANGUAGE sql STABLE SET search_path = public, pg_temp
AS $$
    SELECT user_id, sent_at, messages
    FROM (
        SELECT q.user_id, q.sent_at,
               count(*) OVER (PARTITION BY q.user_id ORDER BY q.sent_at RANGE BETWEEN period PRECEDING AND CURRENT ROW)
        FROM engagement_message_queue q
        WHERE q.sent_at IS NOT NULL AND q.message_type NOT IN ('welcome', 'help_restart')
    ) AS windows (user_id, sent_at, messages)
    WHERE messages > cap
$$;
