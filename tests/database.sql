-- Keeps the rows a migrated database has, and gives every table these rows back after a test that committed others.
CREATE SCHEMA baseline;

-- The audit has the roles, texts and sequences that migrate made; tests begin with an empty one.
ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_append_only;
ALTER TABLE audit_details DISABLE TRIGGER audit_details_append_only;
DELETE FROM audit_details;
DELETE FROM audit_entries;
DELETE FROM audit_pending;
ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entries_append_only;
ALTER TABLE audit_details ENABLE ALWAYS TRIGGER audit_details_append_only;
ALTER SEQUENCE audit_entries_id_seq RESTART;

CREATE TABLE baseline.digests (name name PRIMARY KEY, digest text NOT NULL);

-- The rows of a table as one digest; NULL without rows.
CREATE FUNCTION baseline.digest(name name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SELECT md5(string_agg(md5(t::text), '''' ORDER BY md5(t::text))) FROM public.%I t', name)
    INTO result;
    RETURN result;
END $$;

DO $$
DECLARE
    name name;
    filled boolean;
BEGIN
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO filled;
        IF filled THEN
            EXECUTE format('CREATE TABLE baseline.%1$I AS TABLE public.%1$I', name);
            INSERT INTO baseline.digests VALUES (name, baseline.digest(name));
        END IF;
    END LOOP;
END $$;

-- Lets the site's role delete rows of these tables until the transaction is rolled back, or until restore().
CREATE TABLE baseline.deletable (name name PRIMARY KEY);
INSERT INTO baseline.deletable SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND has_table_privilege('missionsite_app', oid, 'DELETE');
CREATE FUNCTION baseline.allow_delete(VARIADIC names text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY names LOOP
        EXECUTE format('GRANT DELETE ON public.%I TO missionsite_app', name);
    END LOOP;
END $$;

-- Lets the site's role write events with earlier times, and ends that. In a transaction of a test, which cannot change to
-- the owner of the tables, as `manage.py loaddata` does.
CREATE TABLE baseline.definitions (name name PRIMARY KEY, definition text NOT NULL);
INSERT INTO baseline.definitions VALUES ('stamp_log_row', pg_get_functiondef('stamp_log_row()'::regprocedure));
CREATE FUNCTION baseline.keep_times(keeps boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF keeps THEN
        CREATE OR REPLACE FUNCTION stamp_log_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    ELSE
        EXECUTE (SELECT definition FROM baseline.definitions WHERE name = 'stamp_log_row');
    END IF;
END $$;
GRANT USAGE ON SCHEMA baseline TO missionsite_app;

-- Restores all rows. Returns the emptied tables whose files have more than so many bytes.
CREATE FUNCTION baseline.restore(large bigint) RETURNS SETOF name LANGUAGE plpgsql AS $$
DECLARE
    name name;
    filled boolean;
    original text;
    columns text;
    always name[];
    trigger name;
BEGIN
    -- Without triggers and foreign keys, which would reject what is deleted here, or count it.
    SET LOCAL session_replication_role = replica;
    FOR name IN
        SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname NOT IN (SELECT d.name FROM baseline.deletable d)
            AND has_table_privilege('missionsite_app', oid, 'DELETE')
    LOOP
        EXECUTE format('REVOKE DELETE ON public.%I FROM missionsite_app', name);
    END LOOP;
    -- As long as another transaction writes, its rows are not there yet to be deleted.
    SET LOCAL lock_timeout = '60s';
    EXECUTE (
        SELECT 'LOCK TABLE ' || string_agg(format('public.%I', relname), ', ' ORDER BY relname) || ' IN EXCLUSIVE MODE'
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    );
    FOR name, original IN
        SELECT relname, digest FROM pg_class LEFT JOIN baseline.digests ON digests.name = relname
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO filled;
        CONTINUE WHEN NOT filled AND original IS NULL;
        CONTINUE WHEN original = baseline.digest(name);
        -- Those that reject every change of a record run in that mode too.
        SELECT coalesce(array_agg(tgname), '{}') INTO always FROM pg_trigger
        WHERE tgrelid = format('public.%I', name)::regclass AND tgenabled = 'A';
        FOREACH trigger IN ARRAY always LOOP
            EXECUTE format('ALTER TABLE public.%I DISABLE TRIGGER %I', name, trigger);
        END LOOP;
        EXECUTE format('DELETE FROM public.%I', name);
        IF original IS NOT NULL THEN
            SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
            FROM pg_attribute
            WHERE attrelid = format('public.%I', name)::regclass AND attnum > 0 AND NOT attisdropped
                AND attgenerated = '';
            EXECUTE format(
                'INSERT INTO public.%1$I (%2$s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM baseline.%1$I', name, columns
            );
        ELSIF pg_relation_size(format('public.%I', name)::regclass) > large THEN
            RETURN NEXT name;
        END IF;
        FOREACH trigger IN ARRAY always LOOP
            EXECUTE format('ALTER TABLE public.%I ENABLE ALWAYS TRIGGER %I', name, trigger);
        END LOOP;
    END LOOP;
END $$;
