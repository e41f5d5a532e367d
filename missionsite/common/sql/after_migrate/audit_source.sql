-- The template of the functions that write the audit, one for each log and each kind of change of a table. The source selects
-- from the rows of a statement: action, actor, object_type, object_id, member (whose personal data the content may hold),
-- origin and content; `context` is what the transaction knows. `token` is the pseudonym of the actor of a row; `pseudonyms`
-- adds those that are missing. Runs with the privileges of the owner: no other role can write the audit.
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp {setting}
AS $audit$
DECLARE
    context record;
    pseudonym uuid;
BEGIN
    SELECT * INTO context FROM audit_context();
    {pseudonyms}
    WITH given AS MATERIALIZED (
        SELECT nextval('audit_entries_id_seq') AS id, gen_random_uuid() AS salt, {token} AS token,
            CASE WHEN g.action LIKE '%.failed' THEN 'failed'
                WHEN g.action IN ('access.denied', 'session.limited') THEN 'denied' ELSE 'done' END AS outcome,
            g.*
        FROM ({source}) g
    ), described AS MATERIALIZED (
        SELECT id, outcome, token, action, object_type, object_id, {app} AS app, audit_changeset_id() AS changeset_id,
            audit_digest(salt, origin) AS origin_digest, audit_digest(salt, content) AS content_digest
        FROM given
    ), details AS (
        INSERT INTO audit_details (entry_id, salt, origin, content, member_id)
        SELECT id, salt, origin, content, member FROM given
    ), pending AS (
        INSERT INTO audit_pending (entry_id) SELECT id FROM given
    )
    INSERT INTO audit_entries (id, occurred_at, app, action, outcome, actor_token, object_type, object_id, changeset_id,
        origin_digest, content_digest, leaf)
    SELECT id, now(), app, action, outcome, token, object_type, object_id, changeset_id, origin_digest, content_digest,
        -- The columns in the order of the table.
        audit_leaf(ROW(id, now(), app, action, outcome, object_type, object_id, changeset_id, origin_digest,
            content_digest, NULL, token)::audit_entries)
    FROM described;
    RETURN NULL;
END $audit$;
REVOKE EXECUTE ON FUNCTION {function}() FROM PUBLIC;
CREATE OR REPLACE TRIGGER {function} AFTER {event} ON {table}
    REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION {function}();
