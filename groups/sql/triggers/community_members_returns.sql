-- Returns are erased with the directory entry of a person.
CREATE OR REPLACE TRIGGER community_members_erased_returns AFTER UPDATE OF erased_at ON community_members
    FOR EACH ROW WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION erase_returns();
