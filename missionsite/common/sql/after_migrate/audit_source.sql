-- The template of the functions that write the audit, one for each log and each kind of change of a table. The source selects
-- from the rows of a statement: action, actor, object_type, object_id, member (whose personal data the content may hold),
-- origin and content; `context` is what the transaction knows. Runs with the privileges of the owner: no other role can
-- write the audit.
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp {setting}
AS $audit$
DECLARE
    context record;
BEGIN
    SELECT * INTO context FROM audit_context();
    INSERT INTO audit_actors (member_id)
    SELECT DISTINCT g.actor FROM ({source}) g
    WHERE g.actor IS NOT NULL AND NOT EXISTS (SELECT FROM audit_actors a WHERE a.member_id = g.actor)
    ORDER BY 1 ON CONFLICT DO NOTHING;
    WITH given AS MATERIALIZED (
        SELECT nextval('audit_entries_id_seq') AS id, gen_random_uuid() AS salt, g.* FROM ({source}) g
    ), details AS (
        INSERT INTO audit_details (entry_id, salt, origin, content, member_id)
        SELECT id, salt, origin, content, member FROM given
    ), pending AS (
        INSERT INTO audit_pending (entry_id) SELECT id FROM given
    )
    INSERT INTO audit_entries (id, app, action, outcome, actor_token, object_type, object_id, changeset_id, origin_digest,
        content_digest, leaf)
    SELECT id, {app}, action,
        CASE WHEN action LIKE '%.failed' THEN 'failed' WHEN action IN ('access.denied', 'session.limited') THEN 'denied'
            ELSE 'done' END,
        (SELECT a.token FROM audit_actors a WHERE a.member_id = given.actor), object_type, object_id,
        audit_changeset_id(), audit_digest(salt, origin), audit_digest(salt, content), ''
    FROM given;
    RETURN NULL;
END $audit$;
REVOKE EXECUTE ON FUNCTION {function}() FROM PUBLIC;
CREATE OR REPLACE TRIGGER {function} AFTER {event} ON {table}
    REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION {function}();
