-- Row security and privileges of received messages without a member, and of the mailboxes: only the site uses them. The
-- site deletes old messages.
ALTER TABLE unassigned_messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE unassigned_messages FORCE ROW LEVEL SECURITY;
ALTER TABLE engagement_mailboxes ENABLE ROW LEVEL SECURITY;
ALTER TABLE engagement_mailboxes FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE unassigned_messages IS 'Received messages that no member could be found for, until staff handle them.';
COMMENT ON TABLE engagement_mailboxes IS 'How far each mailbox was read.';

CREATE POLICY unassigned_messages_owner ON unassigned_messages TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY engagement_mailboxes_owner ON engagement_mailboxes TO CURRENT_USER USING (true) WITH CHECK (true);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') OR current_user = 'missionsite_app' THEN
        RETURN;
    END IF;
    CREATE POLICY unassigned_messages_site ON unassigned_messages TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY engagement_mailboxes_site ON engagement_mailboxes TO missionsite_app USING (true) WITH CHECK (true);
    GRANT DELETE ON unassigned_messages TO missionsite_app;
    REVOKE DELETE ON engagement_mailboxes FROM missionsite_app;
END $$;
