-- Returns the member of a restricted request, or NULL; policies compare rows with it. A setting that was reset reads
-- ''. RETURN: the types are those of the time of creation, so no temporary type replaces them.
CREATE OR REPLACE FUNCTION current_member_id() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.member_id', true), '')::uuid;
