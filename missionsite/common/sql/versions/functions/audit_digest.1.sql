-- Returns the salted SHA-256 of details of the audit. jsonb writes its keys in one order, so equal details have one digest.
CREATE OR REPLACE FUNCTION audit_digest(salt uuid, details jsonb) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sha256(convert_to(salt::text || coalesce(details, 'null')::text, 'UTF8'));
