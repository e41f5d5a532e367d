-- Actor of the transaction, set by services; NULL for raw SQL.
CREATE OR REPLACE FUNCTION audit_actor() RETURNS uuid LANGUAGE sql STABLE
AS $$ SELECT nullif(current_setting('app.actor_id', true), '')::uuid $$;
