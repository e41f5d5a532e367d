-- A directory entry gets a number, and its status follows the legal moves.
CREATE OR REPLACE TRIGGER community_members_number BEFORE INSERT ON community_members
    FOR EACH ROW EXECUTE FUNCTION assign_community_number();
CREATE OR REPLACE TRIGGER community_members_guard BEFORE UPDATE ON community_members
    FOR EACH ROW EXECUTE FUNCTION guard_community_members();
-- Activity does not change updated_at. The generated column prevents comparing whole rows here.
CREATE OR REPLACE TRIGGER community_members_touch_updated_at BEFORE UPDATE ON community_members
    FOR EACH ROW WHEN (OLD.last_active_at IS NOT DISTINCT FROM NEW.last_active_at)
    EXECUTE FUNCTION touch_updated_at();
