DROP FUNCTION quiet_until(timestamptz, text, time, time);
DROP FUNCTION members_over_frequency_cap(integer, interval);
DROP TRIGGER user_profiles_redirect ON user_profiles;
DROP FUNCTION redirect_pending_messages();
DROP TRIGGER user_profiles_timezone_changed ON user_profiles;
DROP TRIGGER user_profiles_timezone_inserted ON user_profiles;
DROP FUNCTION check_profile_timezone();
DROP TRIGGER members_profiles ON members;
DROP FUNCTION create_member_profiles();
ALTER TABLE engagement_claims RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
ALTER TABLE engagement_transports RESET (fillfactor);
ALTER TABLE engagement_attention RESET (fillfactor);
ALTER TABLE engagement_message_queue RESET (
    fillfactor, autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor
);
ALTER TABLE engagement_message_queue DROP CONSTRAINT engagement_message_queue_params_object;
DROP TRIGGER engagement_message_queue_immutable ON engagement_message_queue;
DROP FUNCTION reject_message_change();
DROP TRIGGER engagement_message_queue_moves ON engagement_message_queue;
DROP FUNCTION reject_message_move();
