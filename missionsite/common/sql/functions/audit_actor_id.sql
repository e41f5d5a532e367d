-- Returns the member who acts in this transaction, or NULL; log triggers record it.
CREATE OR REPLACE FUNCTION audit_actor_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.actor_id', true), '')::uuid;
