-- Sets the time, the changeset and the actor of a row of a log, whatever the caller gave; the actor only where the
-- transaction has one. The owner of the tables, who migrates and restores, can write earlier times.
CREATE OR REPLACE FUNCTION stamp_log_row() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF (SELECT pg_has_role(session_user, relowner, 'USAGE') FROM pg_class WHERE oid = TG_RELID) THEN
        RETURN NEW;
    END IF;
    NEW.occurred_at := now();
    NEW.changeset_id := audit_changeset_id();
    NEW.actor_id := coalesce(audit_actor_id(), NEW.actor_id);
    RETURN NEW;
END $$;
