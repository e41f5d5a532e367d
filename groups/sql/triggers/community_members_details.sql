-- Erasing an entry erases the person's tags, notes and custom values.
CREATE OR REPLACE TRIGGER community_members_erase_details AFTER UPDATE OF erased_at ON community_members
    FOR EACH ROW WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION erase_details();
