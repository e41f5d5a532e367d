-- Row security and privileges of returning people: only the site reads and writes them, and deletes none.
ALTER TABLE community_returns ENABLE ROW LEVEL SECURITY;
ALTER TABLE community_returns FORCE ROW LEVEL SECURITY;

CREATE POLICY community_returns_owner ON community_returns TO CURRENT_USER USING (true) WITH CHECK (true);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') OR current_user = 'missionsite_app' THEN
        RETURN;
    END IF;
    CREATE POLICY community_returns_site ON community_returns TO missionsite_app USING (true) WITH CHECK (true);
    REVOKE DELETE ON community_returns FROM missionsite_app;
END $$;
