-- Returns the member of a restricted request, or NULL; policies compare rows with it. A setting that was reset reads
-- ''.
CREATE OR REPLACE FUNCTION current_member_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(current_setting('app.member_id', true), '')::uuid $$;
