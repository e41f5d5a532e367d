-- Runs after every migrate, as the owner of the schema: what holds for each function, also for those of packages, which
-- their migrations replace. It may be repeated.
--
-- 1. A function finds tables and types in public, never a temporary one of the caller. One whose body was parsed when it
--    was created (BEGIN ATOMIC, RETURN) needs no search_path, and PostgreSQL can inline it.
-- 2. History is written by triggers only, with the privileges of the owner: no one else inserts into it, so that neither
--    its time nor its content comes from a caller.
-- 3. Only the owner can switch a trigger off by the setting pgtrigger.ignore.
-- 4. A changeset keeps what was recorded for it: a later change may only add what is missing.
DO $$
DECLARE
    function record;
    history record;
    has_roles CONSTANT boolean := EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app')
        AND current_user <> 'missionsite_app';
BEGIN
    IF to_regprocedure('_pgtrigger_should_ignore(name)') IS NOT NULL THEN
        CREATE OR REPLACE FUNCTION _pgtrigger_should_ignore(trigger_name name) RETURNS boolean
        LANGUAGE plpgsql SET search_path = public, pg_temp AS $body$
        BEGIN
            IF NOT (SELECT pg_has_role(session_user, proowner, 'USAGE') FROM pg_proc
                    WHERE oid = '_pgtrigger_should_ignore(name)'::regprocedure) THEN
                RETURN false;
            END IF;
            RETURN coalesce(
                trigger_name = ANY (nullif(current_setting('pgtrigger.ignore', true), '')::text[]), false
            );
        END $body$;
    END IF;

    IF to_regprocedure('_pgh_attach_context()') IS NOT NULL THEN
        CREATE OR REPLACE FUNCTION _pgh_attach_context() RETURNS uuid
        LANGUAGE plpgsql SET search_path = public, pg_temp AS $body$
        DECLARE
            context CONSTANT uuid := nullif(current_setting('pghistory.context_id', true), '')::uuid;
            -- The address of the client is for the audit only, where it can be erased.
            described CONSTANT jsonb := nullif(current_setting('pghistory.context_metadata', true), '')::jsonb - 'client';
        BEGIN
            IF context IS NULL OR described IS NULL THEN
                RETURN NULL;
            END IF;
            INSERT INTO pghistory_context AS c (id, metadata, created_at, updated_at)
            VALUES (context, described, now(), now())
            ON CONFLICT (id) DO UPDATE
                SET metadata = EXCLUDED.metadata || jsonb_strip_nulls(c.metadata), updated_at = now()
                WHERE c.metadata <> EXCLUDED.metadata || jsonb_strip_nulls(c.metadata)
                    -- No request, job or import takes longer.
                    AND c.created_at > now() - interval '1 day';
            RETURN context;
        END $body$;
    END IF;

    FOR function IN
        SELECT p.oid::regprocedure AS name FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
        WHERE p.pronamespace = 'public'::regnamespace AND p.prokind = 'f' AND l.lanname IN ('sql', 'plpgsql')
            AND p.prosqlbody IS NULL AND pg_has_role(p.proowner, 'USAGE')
            AND NOT EXISTS (SELECT FROM unnest(p.proconfig) setting WHERE setting LIKE 'search_path=%')
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = public, pg_temp', function.name);
    END LOOP;

    FOR function IN
        SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.prorettype = 'trigger'::regtype AND NOT p.prosecdef
            AND p.prosrc LIKE '%_pgh_attach_context()%' AND pg_has_role(p.proowner, 'USAGE')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER', function.name);
        -- Otherwise anyone could attach it to a temporary table and write history by changing that one.
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', function.name);
    END LOOP;

    IF has_roles THEN
        FOR history IN
            SELECT a.attrelid::regclass AS name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attname = 'pgh_obj_id'
        LOOP
            EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %s FROM missionsite_app', history.name);
        END LOOP;
        IF to_regclass('pghistory_context') IS NOT NULL THEN
            REVOKE INSERT, UPDATE, DELETE ON pghistory_context FROM missionsite_app;
        END IF;
        REVOKE UPDATE ON ALL SEQUENCES IN SCHEMA public FROM missionsite_app;
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_member') THEN
            FOR history IN
                SELECT a.attrelid::regclass AS name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attname = 'pgh_obj_id'
            LOOP
                EXECUTE format('REVOKE ALL ON %s FROM missionsite_member', history.name);
            END LOOP;
            IF to_regclass('pghistory_context') IS NOT NULL THEN
                REVOKE ALL ON pghistory_context FROM missionsite_member;
            END IF;
        END IF;
    END IF;
END $$;
