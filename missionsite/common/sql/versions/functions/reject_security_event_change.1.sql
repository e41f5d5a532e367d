-- Rejects a change of the security log. Only erasing a person may replace the address, the client and the payload.
CREATE OR REPLACE FUNCTION reject_security_event_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('missionsite.erasing', true) = 'on'
        AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        IF to_jsonb(NEW) - '{address,user_agent,payload}'::text[] = to_jsonb(OLD) - '{address,user_agent,payload}'::text[] THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the security log is append-only: % rejected', TG_OP
        USING ERRCODE = 'check_violation', CONSTRAINT = 'security_events_append_only';
END $$;
