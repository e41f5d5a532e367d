CREATE INDEX engagement_message_queue_user_id_48fb97f7 ON engagement_message_queue (user_id);
DELETE FROM engagement_claims;
-- The table as before: deleted with the member, fillfactor 50, accessible to the site only.
CREATE TABLE engagement_attention (
    user_id uuid PRIMARY KEY CONSTRAINT engagement_attention_user_id_fk_members_id REFERENCES members (id)
        ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    recent timestamptz[] NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50);
DO $$
BEGIN
    CREATE POLICY engagement_attention_owner ON engagement_attention TO CURRENT_USER USING (true) WITH CHECK (true);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        CREATE POLICY engagement_attention_site ON engagement_attention TO missionsite_app
            USING (true) WITH CHECK (true);
        REVOKE DELETE ON engagement_attention FROM missionsite_app;
    END IF;
END $$;
INSERT INTO engagement_attention (user_id, recent)
SELECT m.id, coalesce(t.times, '{}') FROM members m LEFT JOIN (
    SELECT user_id, array_agg(attempted_at ORDER BY attempted_at) AS times FROM engagement_message_queue
    WHERE attempted_at > now() - interval '30 days' AND message_type NOT IN ('welcome', 'help_restart')
    GROUP BY user_id
) t ON t.user_id = m.id;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
ALTER TABLE engagement_attention ENABLE ROW LEVEL SECURITY;
ALTER TABLE engagement_attention FORCE ROW LEVEL SECURITY;
