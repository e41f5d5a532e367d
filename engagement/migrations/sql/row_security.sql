-- Row security of every table of this app, forced, so that policies also apply to the owner.
--
-- A member can read their own state, transitions and profile, and update four columns of the profile. Only the site can
-- read and write the queue and the other tables.

DO $$
DECLARE
    name text;
    site CONSTANT boolean := EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app')
        AND current_user <> 'missionsite_app';
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'user_engagement_states', 'engagement_state_transitions', 'engagement_message_queue', 'user_profiles',
        'user_profiles_history', 'message_templates', 'message_templates_history', 'engagement_announcements',
        'engagement_claims', 'engagement_attention', 'engagement_transports', 'engagement_inbound_messages'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        -- With a single database role, this is also the site's policy.
        EXECUTE format('CREATE POLICY %I ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', name || '_owner', name);
        IF site THEN
            EXECUTE format(
                'CREATE POLICY %I ON %I TO missionsite_app USING (true) WITH CHECK (true)', name || '_site', name
            );
        END IF;
    END LOOP;
    IF NOT site THEN
        RETURN;
    END IF;
    -- Rows that are never deleted or updated.
    REVOKE DELETE ON user_engagement_states, engagement_message_queue, user_profiles, engagement_attention
        FROM missionsite_app;
    REVOKE UPDATE, DELETE ON engagement_state_transitions, user_profiles_history, message_templates_history
        FROM missionsite_app;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_member') THEN
        RETURN;
    END IF;
    GRANT SELECT ON user_engagement_states, engagement_state_transitions, user_profiles TO missionsite_member;
    GRANT UPDATE (preferred_destination, reengagement_opt_out, locale, timezone) ON user_profiles
        TO missionsite_member;
    CREATE POLICY user_engagement_states_own ON user_engagement_states FOR SELECT TO missionsite_member
        USING (user_id = current_member_id());
    CREATE POLICY engagement_state_transitions_own ON engagement_state_transitions FOR SELECT TO missionsite_member
        USING (user_id = current_member_id());
    CREATE POLICY user_profiles_own ON user_profiles FOR SELECT TO missionsite_member
        USING (user_id = current_member_id());
    CREATE POLICY user_profiles_change_own ON user_profiles FOR UPDATE TO missionsite_member
        USING (user_id = current_member_id()) WITH CHECK (user_id = current_member_id());
    -- History triggers run with the privileges of the user who changed the row.
    GRANT INSERT ON user_profiles_history TO missionsite_member;
    CREATE POLICY user_profiles_history_insert_own ON user_profiles_history FOR INSERT TO missionsite_member
        WITH CHECK (user_id = current_member_id());
END $$;
