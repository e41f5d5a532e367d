-- Deletes personal data of a member when the directory erases the member.
CREATE OR REPLACE FUNCTION erase_person_in_projects() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE access_requests SET message = '' WHERE member_id = NEW.person_id;
    UPDATE mission_comments SET body = '-', removed_at = coalesce(removed_at, CURRENT_TIMESTAMP)
    WHERE author_id = NEW.person_id;
    DELETE FROM notifications WHERE member_id = NEW.person_id;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION erase_person_in_projects() FROM PUBLIC;
