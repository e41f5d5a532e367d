-- The schema before has one registration per invitation: a used-up link for many people becomes a cancelled invitation.
ALTER TABLE community_invitations DISABLE TRIGGER community_invitations_guard;
UPDATE community_invitations SET status = 'cancelled', accepted_at = NULL WHERE max_uses > 1 AND status = 'accepted';
ALTER TABLE community_invitations ENABLE TRIGGER community_invitations_guard;
