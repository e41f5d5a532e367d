-- An ended invitation never changes.
CREATE OR REPLACE TRIGGER community_invitations_guard BEFORE UPDATE ON community_invitations
    FOR EACH ROW EXECUTE FUNCTION guard_community_invitations();
CREATE OR REPLACE TRIGGER community_invitations_touch_updated_at BEFORE UPDATE ON community_invitations
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
