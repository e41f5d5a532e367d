-- Stable IDs (FE-P-00001, FE-G-…, FE-M-…, FE-T-…): assigned by the database, never changed, never reused.
--
-- Numbers come from sequences, so concurrent inserts do not wait for each other. A row with a given ID moves the
-- sequence past it. An advisory lock separates moving and taking, and is released at once, not at the end of the
-- transaction: setval alone could move a sequence back during a concurrent insert.
CREATE SEQUENCE stable_id_p;
CREATE SEQUENCE stable_id_g;
CREATE SEQUENCE stable_id_m;
CREATE SEQUENCE stable_id_t;

-- IDs of deleted rows, so that they are not reused.
CREATE TABLE retired_stable_ids (
    stable_id text PRIMARY KEY,
    retired_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION next_stable_id(kind "char") RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    number bigint;
BEGIN
    PERFORM pg_advisory_lock_shared(19795, ascii(kind::text));
    BEGIN
        number := nextval(('stable_id_' || lower(kind::text))::regclass);
    EXCEPTION WHEN query_canceled OR others THEN
        PERFORM pg_advisory_unlock_shared(19795, ascii(kind::text));
        RAISE;
    END;
    PERFORM pg_advisory_unlock_shared(19795, ascii(kind::text));
    RETURN 'FE-' || kind::text || '-' || lpad(number::text, greatest(5, length(number::text)), '0');
END $$;

-- Moves the sequence past a given ID. The table's CHECK rejects an ID of another format.
CREATE FUNCTION claim_stable_id(kind "char", stable_id text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    source regclass := ('stable_id_' || lower(kind::text))::regclass;
    number bigint := substring(stable_id FROM '^FE-.-([0-9]{5,14})$')::bigint;
BEGIN
    IF number IS NULL OR number <= coalesce(pg_sequence_last_value(source), 0) THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_lock(19795, ascii(kind::text));
    BEGIN
        IF number > coalesce(pg_sequence_last_value(source), 0) THEN
            PERFORM setval(source, number);
        END IF;
    EXCEPTION WHEN query_canceled OR others THEN
        PERFORM pg_advisory_unlock(19795, ascii(kind::text));
        RAISE;
    END;
    PERFORM pg_advisory_unlock(19795, ascii(kind::text));
END $$;

-- One pair of functions per column name; TG_ARGV[0] is the type letter for tables with stable_id.
CREATE FUNCTION assign_member_id() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF coalesce(NEW.member_id, '') = '' THEN
        NEW.member_id := next_stable_id('P');
    ELSE
        PERFORM claim_stable_id('P', NEW.member_id);
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION assign_stable_id() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    IF coalesce(NEW.stable_id, '') = '' THEN
        NEW.stable_id := next_stable_id(TG_ARGV[0]::"char");
    ELSE
        PERFORM claim_stable_id(TG_ARGV[0]::"char", NEW.stable_id);
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION reject_member_id_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'stable ID % cannot be changed', OLD.member_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'stable_id_never_changes';
END $$;

CREATE FUNCTION reject_stable_id_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'stable ID % cannot be changed', OLD.stable_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'stable_id_never_changes';
END $$;

CREATE FUNCTION retire_stable_ids() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO retired_stable_ids (stable_id)
    SELECT coalesce(to_jsonb(r) ->> 'stable_id', to_jsonb(r) ->> 'member_id') FROM old_rows r
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- After the insert, so that it sees an ID that a concurrent transaction has just retired.
CREATE FUNCTION reject_retired_stable_ids() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    reused text;
BEGIN
    IF NOT EXISTS (SELECT FROM retired_stable_ids) THEN
        RETURN NULL;
    END IF;
    SELECT r.stable_id INTO reused
    FROM new_rows n
    JOIN retired_stable_ids r ON r.stable_id = coalesce(to_jsonb(n) ->> 'stable_id', to_jsonb(n) ->> 'member_id')
    LIMIT 1;
    IF reused IS NOT NULL THEN
        RAISE EXCEPTION 'stable ID % was used before', reused
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'stable_id_never_reused';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER members_assign_stable_id BEFORE INSERT ON members
    FOR EACH ROW EXECUTE FUNCTION assign_member_id();
CREATE TRIGGER members_reject_stable_id_change BEFORE UPDATE ON members
    FOR EACH ROW WHEN (OLD.member_id IS DISTINCT FROM NEW.member_id) EXECUTE FUNCTION reject_member_id_change();
CREATE TRIGGER members_retire_stable_id AFTER DELETE ON members
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION retire_stable_ids();
CREATE TRIGGER members_reject_retired_stable_id AFTER INSERT ON members
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION reject_retired_stable_ids();

CREATE TRIGGER tasks_assign_stable_id BEFORE INSERT ON tasks
    FOR EACH ROW EXECUTE FUNCTION assign_stable_id('T');
CREATE TRIGGER tasks_reject_stable_id_change BEFORE UPDATE ON tasks
    FOR EACH ROW WHEN (OLD.stable_id IS DISTINCT FROM NEW.stable_id) EXECUTE FUNCTION reject_stable_id_change();
CREATE TRIGGER tasks_retire_stable_id AFTER DELETE ON tasks
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION retire_stable_ids();
CREATE TRIGGER tasks_reject_retired_stable_id AFTER INSERT ON tasks
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION reject_retired_stable_ids();

REVOKE EXECUTE ON FUNCTION next_stable_id("char"), claim_stable_id("char", text), assign_member_id(),
    assign_stable_id(), retire_stable_ids(), reject_retired_stable_ids() FROM PUBLIC;
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE ALL ON SEQUENCE stable_id_p, stable_id_g, stable_id_m, stable_id_t FROM missionsite_app;
        REVOKE INSERT, UPDATE, DELETE ON retired_stable_ids FROM missionsite_app;
    END IF;
END $$;
