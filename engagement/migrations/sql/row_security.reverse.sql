DO $$
DECLARE
    policy record;
    name text;
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_member') AND current_user <> 'missionsite_app' THEN
        REVOKE ALL ON user_engagement_states, engagement_state_transitions, user_profiles, user_profiles_history
            FROM missionsite_member;
        REVOKE UPDATE (preferred_destination, reengagement_opt_out, locale, timezone) ON user_profiles
            FROM missionsite_member;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') AND current_user <> 'missionsite_app' THEN
        GRANT DELETE ON user_engagement_states, engagement_message_queue, user_profiles, engagement_attention
            TO missionsite_app;
        GRANT UPDATE, DELETE ON engagement_state_transitions, user_profiles_history, message_templates_history
            TO missionsite_app;
    END IF;
    FOREACH name IN ARRAY ARRAY[
        'user_engagement_states', 'engagement_state_transitions', 'engagement_message_queue', 'user_profiles',
        'user_profiles_history', 'message_templates', 'message_templates_history', 'engagement_announcements',
        'engagement_claims', 'engagement_attention', 'engagement_transports', 'engagement_inbound_messages'
    ] LOOP
        FOR policy IN SELECT polname FROM pg_policy WHERE polrelid = name::regclass LOOP
            EXECUTE format('DROP POLICY %I ON %I', policy.polname, name);
        END LOOP;
        EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', name);
    END LOOP;
END $$;
