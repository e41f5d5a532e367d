-- Sets the time of an entry of the audit, and its leaf. The owner of the tables, who restores, can write earlier times.
CREATE OR REPLACE FUNCTION stamp_audit_entry() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF NOT (SELECT pg_has_role(session_user, relowner, 'USAGE') FROM pg_class WHERE oid = TG_RELID) THEN
        NEW.occurred_at := now();
    END IF;
    NEW.leaf := audit_leaf(NEW);
    RETURN NEW;
END $$;
