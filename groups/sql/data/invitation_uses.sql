-- Lists the registrations before this table existed. Its trigger counts them.
INSERT INTO community_invitation_uses (invitation_id, member_id, used_at)
SELECT invitation_id, accepted_by, accepted_at FROM community_invitations WHERE accepted_by IS NOT NULL;
