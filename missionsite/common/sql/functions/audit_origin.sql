-- Returns where the change of this transaction comes from; 'system' when nothing has set it. Log triggers record it.
CREATE OR REPLACE FUNCTION audit_origin() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('app.event_origin', true), ''), 'system');
