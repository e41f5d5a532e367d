-- Erases the texts of a person's join requests when their directory entry is erased.
CREATE OR REPLACE FUNCTION erase_join_requests() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE join_requests
    SET message = '', reason = CASE WHEN reason = '' THEN '' ELSE 'erased' END
    WHERE member_id = NEW.person_id;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION erase_join_requests() FROM PUBLIC;
