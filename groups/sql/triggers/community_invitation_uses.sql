-- Each registration with an invitation is counted on it.
CREATE OR REPLACE TRIGGER community_invitation_uses_count AFTER INSERT ON community_invitation_uses
    FOR EACH ROW EXECUTE FUNCTION count_invitation_use();
