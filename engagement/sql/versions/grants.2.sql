-- Privileges that differ from the default ones: rows that are never deleted or updated, and what a member may read and
-- change; policies choose the rows.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_app') OR current_user = 'missionsite_app' THEN
        RETURN;
    END IF;
    REVOKE DELETE ON user_engagement_states, engagement_message_queue, user_profiles FROM missionsite_app;
    REVOKE UPDATE, DELETE ON engagement_state_transitions, user_profiles_history, message_templates_history
        FROM missionsite_app;
    -- Only release_claim changes a claim.
    REVOKE UPDATE ON engagement_claims FROM missionsite_app;
    GRANT EXECUTE ON FUNCTION release_claim(uuid, bigint[]) TO missionsite_app;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'missionsite_member') THEN
        RETURN;
    END IF;
    GRANT SELECT ON user_engagement_states, user_profiles TO missionsite_member;
    -- Members cannot read the columns for the audit, actor_id and changeset_id.
    GRANT SELECT (id, user_id, from_state, to_state, trigger, metadata, created_at) ON engagement_state_transitions
        TO missionsite_member;
    GRANT UPDATE (preferred_destination, reengagement_opt_out, locale, timezone, muted_topics) ON user_profiles
        TO missionsite_member;
    -- History triggers run with the privileges of the role that changes the row.
    GRANT INSERT ON user_profiles_history TO missionsite_member;
END $$;
