-- Row security and privileges of the reply phrases: only the site reads and writes them, and no row is deleted.
ALTER TABLE reply_phrases ENABLE ROW LEVEL SECURITY;
ALTER TABLE reply_phrases FORCE ROW LEVEL SECURITY;
ALTER TABLE reply_phrases_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE reply_phrases_history FORCE ROW LEVEL SECURITY;

CREATE POLICY reply_phrases_owner ON reply_phrases TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY reply_phrases_history_owner ON reply_phrases_history TO CURRENT_USER USING (true) WITH CHECK (true);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') OR current_user = 'missionsite_app' THEN
        RETURN;
    END IF;
    CREATE POLICY reply_phrases_site ON reply_phrases TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY reply_phrases_history_site ON reply_phrases_history TO missionsite_app USING (true) WITH CHECK (true);
    REVOKE DELETE ON reply_phrases FROM missionsite_app;
    REVOKE UPDATE, DELETE ON reply_phrases_history FROM missionsite_app;
END $$;
