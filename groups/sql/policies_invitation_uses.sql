-- Row security and privileges of the registrations with invitations: only the site reads them; they are append-only.
ALTER TABLE community_invitation_uses ENABLE ROW LEVEL SECURITY;
ALTER TABLE community_invitation_uses FORCE ROW LEVEL SECURITY;

CREATE POLICY community_invitation_uses_owner ON community_invitation_uses TO CURRENT_USER USING (true) WITH CHECK (true);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') OR current_user = 'missionsite_app' THEN
        RETURN;
    END IF;
    CREATE POLICY community_invitation_uses_site ON community_invitation_uses TO missionsite_app
        USING (true) WITH CHECK (true);
    REVOKE UPDATE, DELETE ON community_invitation_uses FROM missionsite_app;
END $$;
