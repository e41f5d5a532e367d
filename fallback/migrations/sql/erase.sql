-- Deletes personal data of a member when the directory erases the member.
CREATE FUNCTION erase_person_in_projects() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE access_requests SET message = '' WHERE member_id = NEW.person_id;
    DELETE FROM notifications WHERE member_id = NEW.person_id;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION erase_person_in_projects() FROM PUBLIC;
CREATE TRIGGER community_members_erased_in_projects AFTER UPDATE OF erased_at ON community_members
    FOR EACH ROW WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL AND NEW.person_id IS NOT NULL)
    EXECUTE FUNCTION erase_person_in_projects();
