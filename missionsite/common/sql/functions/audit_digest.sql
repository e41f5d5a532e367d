-- Returns the salted SHA-256 of details of the audit. jsonb writes its keys in one order, so equal details have one digest.
-- STABLE as convert_to() is, so that PostgreSQL can inline it; a call for each row costs several times as much.
CREATE OR REPLACE FUNCTION audit_digest(salt uuid, details jsonb) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(convert_to(salt::text || coalesce(details, 'null')::text, 'UTF8'));
