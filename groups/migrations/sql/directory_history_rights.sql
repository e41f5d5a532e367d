-- History is only ever added to: the site's role may write and read it, and nothing more.
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        REVOKE UPDATE, DELETE ON community_members_history, community_invitations_history FROM missionsite_app;
    END IF;
END $$;
