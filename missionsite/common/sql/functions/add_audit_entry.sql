-- Adds one entry to the audit by the owner's functions, and returns its id. Entries of logs and rows are added by the
-- functions that sql/after_migrate/audit_source.sql makes.
CREATE OR REPLACE FUNCTION add_audit_entry(action text, object_type text, object_id text, payload jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    context record;
    salt CONSTANT uuid := gen_random_uuid();
    content CONSTANT jsonb := jsonb_build_object('payload', payload);
    made bigint;
BEGIN
    SELECT * INTO context FROM audit_context();
    IF context.actor IS NOT NULL THEN
        INSERT INTO audit_actors (member_id) VALUES (context.actor) ON CONFLICT DO NOTHING;
    END IF;
    INSERT INTO audit_entries (app, action, actor_token, object_type, object_id, changeset_id, origin_digest, content_digest,
        leaf)
    VALUES (
        'common', action, (SELECT token FROM audit_actors WHERE member_id = context.actor), object_type, object_id,
        audit_changeset_id(), audit_digest(salt, context.origin), audit_digest(salt, content), ''
    )
    RETURNING id INTO made;
    INSERT INTO audit_details (entry_id, salt, origin, content) VALUES (made, salt, context.origin, content);
    INSERT INTO audit_pending VALUES (made);
    RETURN made;
END $$;
REVOKE EXECUTE ON FUNCTION add_audit_entry(text, text, text, jsonb) FROM PUBLIC;
