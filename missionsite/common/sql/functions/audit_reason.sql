-- Returns the reason that the actor of this transaction gave, or ''; log triggers record it.
CREATE OR REPLACE FUNCTION audit_reason() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('app.reason', true), ''), '');
