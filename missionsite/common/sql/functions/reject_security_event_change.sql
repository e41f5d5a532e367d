-- Rejects a change of the security log. Only erasing a person may replace the address, the client and the payload, and only
-- delete_old_security_events() deletes entries, none of them younger than 400 days.
CREATE OR REPLACE FUNCTION reject_security_event_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN
        IF TG_OP = 'UPDATE' AND current_setting('missionsite.erasing', true) = 'on' THEN
            IF to_jsonb(NEW) - '{address,user_agent,payload}'::text[] = to_jsonb(OLD) - '{address,user_agent,payload}'::text[] THEN
                RETURN NEW;
            END IF;
        END IF;
        IF TG_OP = 'DELETE' AND current_setting('missionsite.deleting_security_events', true) = 'on' THEN
            IF OLD.occurred_at < now() - interval '400 days' THEN
                RETURN OLD;
            END IF;
        END IF;
    END IF;
    RAISE EXCEPTION 'the security log is append-only: % rejected', TG_OP
        USING ERRCODE = 'check_violation', CONSTRAINT = 'security_events_append_only';
END $$;
