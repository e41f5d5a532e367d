-- Returns the changeset of this transaction, or NULL: the context that pghistory records with each row of history.
CREATE OR REPLACE FUNCTION audit_changeset_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('pghistory.context_id', true), '')::uuid;
