-- The log of transitions is append-only.
CREATE OR REPLACE TRIGGER engagement_state_transitions_append_only BEFORE UPDATE OR DELETE ON engagement_state_transitions
    FOR EACH ROW EXECUTE FUNCTION reject_transition_change();
CREATE OR REPLACE TRIGGER engagement_state_transitions_no_truncate BEFORE TRUNCATE ON engagement_state_transitions
    FOR EACH STATEMENT EXECUTE FUNCTION reject_transition_change();
