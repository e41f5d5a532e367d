-- The use of an invitation for one person, whoever accepts it.
CREATE OR REPLACE TRIGGER community_invitations_record_use AFTER INSERT OR UPDATE OF accepted_by ON community_invitations
    FOR EACH ROW WHEN (NEW.accepted_by IS NOT NULL) EXECUTE FUNCTION record_invitation_use();
