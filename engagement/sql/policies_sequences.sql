-- Row security and privileges of the sequences: only the site reads and writes them, and no row is deleted.
ALTER TABLE engagement_sequences ENABLE ROW LEVEL SECURITY;
ALTER TABLE engagement_sequences FORCE ROW LEVEL SECURITY;
ALTER TABLE engagement_sequence_steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE engagement_sequence_steps FORCE ROW LEVEL SECURITY;
ALTER TABLE engagement_sequence_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE engagement_sequence_members FORCE ROW LEVEL SECURITY;
COMMENT ON TABLE engagement_sequences IS 'Messages that follow an event of a member, each some days after it.';
COMMENT ON TABLE engagement_sequence_steps IS 'The messages of a sequence: delay, condition and template.';
COMMENT ON TABLE engagement_sequence_members IS 'The members for whom a sequence started, once per sequence.';

CREATE POLICY engagement_sequences_owner ON engagement_sequences TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY engagement_sequence_steps_owner ON engagement_sequence_steps TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY engagement_sequence_members_owner ON engagement_sequence_members TO CURRENT_USER USING (true) WITH CHECK (true);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') OR current_user = 'missionsite_app' THEN
        RETURN;
    END IF;
    CREATE POLICY engagement_sequences_site ON engagement_sequences TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY engagement_sequence_steps_site ON engagement_sequence_steps TO missionsite_app
        USING (true) WITH CHECK (true);
    CREATE POLICY engagement_sequence_members_site ON engagement_sequence_members TO missionsite_app
        USING (true) WITH CHECK (true);
    REVOKE DELETE ON engagement_sequences, engagement_sequence_steps, engagement_sequence_members FROM missionsite_app;
END $$;
