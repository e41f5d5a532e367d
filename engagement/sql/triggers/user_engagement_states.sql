-- Lifecycle states: only the ten transitions are allowed, each one is logged, and goodbyes without an answer are counted,
-- whichever client writes.
CREATE OR REPLACE TRIGGER user_engagement_states_logged AFTER UPDATE ON user_engagement_states
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION log_engagement_transitions();
CREATE OR REPLACE TRIGGER user_engagement_states_initial_active BEFORE INSERT ON user_engagement_states
    FOR EACH ROW WHEN (NEW.state <> 'active') EXECUTE FUNCTION reject_state_without_history();
CREATE OR REPLACE TRIGGER user_engagement_states_owner_immutable BEFORE UPDATE ON user_engagement_states
    FOR EACH ROW WHEN (OLD.user_id <> NEW.user_id OR OLD.id <> NEW.id)
    EXECUTE FUNCTION reject_state_owner_change();
CREATE OR REPLACE TRIGGER user_engagement_states_touch_updated_at BEFORE UPDATE ON user_engagement_states
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE OR REPLACE TRIGGER user_engagement_states_unanswered BEFORE UPDATE ON user_engagement_states
    FOR EACH ROW
    WHEN (OLD.state <> NEW.state
        OR (OLD.unanswered_goodbyes > 0 AND OLD.last_activity_at IS DISTINCT FROM NEW.last_activity_at))
    EXECUTE FUNCTION count_unanswered_goodbyes();
