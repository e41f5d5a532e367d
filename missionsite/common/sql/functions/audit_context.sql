-- Returns what the transaction knows about its origin, for the audit: the member who acts, and the address, browser,
-- request, page and job. The middleware and jobs set it with pghistory's context.
CREATE OR REPLACE FUNCTION audit_context(OUT actor uuid, OUT origin jsonb)
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp
AS $$
DECLARE
    described CONSTANT jsonb := coalesce(nullif(current_setting('pghistory.context_metadata', true), '')::jsonb, '{}');
BEGIN
    actor := audit_actor_id();
    IF actor IS NULL AND described ->> 'user' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
        SELECT id INTO actor FROM members WHERE id = (described ->> 'user')::uuid;
    END IF;
    origin := jsonb_strip_nulls(
        jsonb_build_object('url', described -> 'url', 'job', described -> 'job')
        || coalesce(described -> 'client', '{}')
    );
END $$;
