-- Actor and origin of the transaction, set by services; raw SQL has the origin `system`.
CREATE OR REPLACE FUNCTION audit_origin() RETURNS text LANGUAGE sql STABLE
AS $$ SELECT coalesce(nullif(current_setting('app.event_origin', true), ''), 'system') $$;
