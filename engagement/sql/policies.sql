-- Row security of every table of this app, forced, so that policies also apply to the owner.
--
-- A member can read their own state, transitions and profile, and update five columns of the profile. Only the site can
-- read and write the queue and the other tables. With a single database role, the owner's policies are the site's.
ALTER TABLE user_engagement_states ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_engagement_states FORCE ROW LEVEL SECURITY;
ALTER TABLE engagement_state_transitions ENABLE ROW LEVEL SECURITY;
ALTER TABLE engagement_state_transitions FORCE ROW LEVEL SECURITY;
ALTER TABLE engagement_message_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE engagement_message_queue FORCE ROW LEVEL SECURITY;
ALTER TABLE user_profiles ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_profiles FORCE ROW LEVEL SECURITY;
ALTER TABLE user_profiles_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_profiles_history FORCE ROW LEVEL SECURITY;
ALTER TABLE message_templates ENABLE ROW LEVEL SECURITY;
ALTER TABLE message_templates FORCE ROW LEVEL SECURITY;
ALTER TABLE message_templates_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE message_templates_history FORCE ROW LEVEL SECURITY;
ALTER TABLE engagement_announcements ENABLE ROW LEVEL SECURITY;
ALTER TABLE engagement_announcements FORCE ROW LEVEL SECURITY;
ALTER TABLE engagement_claims ENABLE ROW LEVEL SECURITY;
ALTER TABLE engagement_claims FORCE ROW LEVEL SECURITY;
ALTER TABLE engagement_transports ENABLE ROW LEVEL SECURITY;
ALTER TABLE engagement_transports FORCE ROW LEVEL SECURITY;
ALTER TABLE engagement_inbound_messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE engagement_inbound_messages FORCE ROW LEVEL SECURITY;

CREATE POLICY user_engagement_states_owner ON user_engagement_states TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY engagement_state_transitions_owner ON engagement_state_transitions TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY engagement_message_queue_owner ON engagement_message_queue TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY user_profiles_owner ON user_profiles TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY user_profiles_history_owner ON user_profiles_history TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY message_templates_owner ON message_templates TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY message_templates_history_owner ON message_templates_history TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY engagement_announcements_owner ON engagement_announcements TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY engagement_claims_owner ON engagement_claims TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY engagement_transports_owner ON engagement_transports TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY engagement_inbound_messages_owner ON engagement_inbound_messages TO CURRENT_USER USING (true) WITH CHECK (true);

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') OR current_user = 'missionsite_app' THEN
        RETURN;
    END IF;
    CREATE POLICY user_engagement_states_site ON user_engagement_states TO missionsite_app
        USING (true) WITH CHECK (true);
    CREATE POLICY engagement_state_transitions_site ON engagement_state_transitions TO missionsite_app
        USING (true) WITH CHECK (true);
    CREATE POLICY engagement_message_queue_site ON engagement_message_queue TO missionsite_app
        USING (true) WITH CHECK (true);
    CREATE POLICY user_profiles_site ON user_profiles TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY user_profiles_history_site ON user_profiles_history TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY message_templates_site ON message_templates TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY message_templates_history_site ON message_templates_history TO missionsite_app
        USING (true) WITH CHECK (true);
    CREATE POLICY engagement_announcements_site ON engagement_announcements TO missionsite_app
        USING (true) WITH CHECK (true);
    CREATE POLICY engagement_claims_site ON engagement_claims TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY engagement_transports_site ON engagement_transports TO missionsite_app USING (true) WITH CHECK (true);
    CREATE POLICY engagement_inbound_messages_site ON engagement_inbound_messages TO missionsite_app
        USING (true) WITH CHECK (true);
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_member') THEN
        RETURN;
    END IF;
    CREATE POLICY user_engagement_states_own ON user_engagement_states FOR SELECT TO missionsite_member
        USING (user_id = current_member_id());
    CREATE POLICY engagement_state_transitions_own ON engagement_state_transitions FOR SELECT TO missionsite_member
        USING (user_id = current_member_id());
    CREATE POLICY user_profiles_own ON user_profiles FOR SELECT TO missionsite_member
        USING (user_id = current_member_id());
    CREATE POLICY user_profiles_change_own ON user_profiles FOR UPDATE TO missionsite_member
        USING (user_id = current_member_id()) WITH CHECK (user_id = current_member_id());
END $$;
