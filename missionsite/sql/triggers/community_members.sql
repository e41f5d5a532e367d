-- Erasing a member in the directory deletes their saved views.
CREATE OR REPLACE TRIGGER community_members_erased_views AFTER UPDATE OF erased_at ON community_members
    FOR EACH ROW WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL AND NEW.person_id IS NOT NULL)
    EXECUTE FUNCTION erase_saved_views();
