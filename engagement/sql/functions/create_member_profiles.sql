-- Creates the profile of each new member: every other function reads it without asking whether there is one.
CREATE OR REPLACE FUNCTION create_member_profiles() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO user_profiles (user_id) SELECT id FROM new_rows;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION create_member_profiles() FROM PUBLIC;
