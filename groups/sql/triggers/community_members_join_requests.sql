-- Erasing an entry erases the texts of the person's join requests.
CREATE OR REPLACE TRIGGER community_members_erase_join_requests AFTER UPDATE OF erased_at ON community_members
    FOR EACH ROW WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION erase_join_requests();
