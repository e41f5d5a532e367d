-- What the tables of this app and their columns contain, for a reader of the schema; tests/engagement/test_tables.py.
COMMENT ON TABLE user_engagement_states IS 'Lifecycle state of a member: active, goodbye_sent, help_flow, remind_later or dormant.';
COMMENT ON TABLE engagement_state_transitions IS 'One row per change of a lifecycle state, written by a trigger; append-only.';
COMMENT ON TABLE engagement_message_queue IS 'Messages to members, one row each, from the time they are queued.';
COMMENT ON TABLE user_profiles IS 'Message preferences and onboarding progress of a member; a trigger creates the row.';
COMMENT ON COLUMN user_engagement_states.last_activity_at IS
    'Last time the member did something; the wait before a goodbye starts here.';
COMMENT ON COLUMN user_engagement_states.goodbye_sent_at IS
    'When the goodbye was sent; NULL until then and in other states.';
COMMENT ON COLUMN user_engagement_states.goodbye_expires_at IS
    'End of the time to reply, without quiet hours; then the member is dormant.';
COMMENT ON COLUMN user_engagement_states.remind_at IS
    'End of a snooze; then one reminder is queued.';
COMMENT ON COLUMN engagement_state_transitions.metadata IS
    'days_inactive; after a goodbye response_type; after dormancy unprompted_return.';
COMMENT ON COLUMN engagement_message_queue.message_key IS
    'Key of the template.';
COMMENT ON COLUMN engagement_message_queue.message_params IS
    'Values for the parameters of the template.';
COMMENT ON COLUMN engagement_message_queue.destination_jid IS
    'Gateway address of the chat; updated with the profile until the message is sent.';
COMMENT ON COLUMN engagement_message_queue.idempotency_key IS
    '{user}:{event}:{YYYY-MM-DD}; passed to the provider, so that a repeated message is delivered once.';
COMMENT ON COLUMN engagement_message_queue.retry_count IS
    'Failed attempts.';
COMMENT ON COLUMN user_profiles.preferred_destination IS
    'Chat in which the member receives messages: individual or group.';
COMMENT ON COLUMN user_profiles.reengagement_opt_out IS
    'Whether unsolicited messages are off.';
COMMENT ON COLUMN user_profiles.onboarding_tier IS
    'Completed tiers, 0 to 3.';
COMMENT ON COLUMN user_profiles.onboarding_tier_progress IS
    'Completed steps by tier, with their times.';
COMMENT ON COLUMN user_profiles.magic_moment_at IS
    'When the member joined their first mission.';
