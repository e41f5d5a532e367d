-- Returns the SHA-256 of an entry of the audit in its canonical form, a JSON array: id, time (UTC, microseconds), app,
-- action, outcome, pseudonym, kind and ID of the object, changeset, and the two digests (hexadecimal).
CREATE OR REPLACE FUNCTION audit_leaf(e audit_entries) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(convert_to(
    json_build_array(
        (e).id, to_char((e).occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), (e).app, (e).action,
        (e).outcome, (e).actor_token, (e).object_type, (e).object_id, (e).changeset_id,
        encode((e).origin_digest, 'hex'), encode((e).content_digest, 'hex')
    )::text,
    'UTF8'
));
