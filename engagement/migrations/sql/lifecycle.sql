-- Lifecycle states: only the ten transitions are allowed, and each one is logged, whichever client writes.

-- Deleting a member deletes their rows here, also by raw SQL.
DO $$
DECLARE
    link record;
BEGIN
    FOR link IN
        SELECT conname, conrelid::regclass AS of FROM pg_constraint
        WHERE contype = 'f' AND confrelid = 'members'::regclass AND conrelid = ANY (ARRAY[
            'user_engagement_states', 'engagement_state_transitions', 'engagement_message_queue', 'user_profiles',
            'engagement_attention', 'engagement_inbound_messages'
        ]::regclass[])
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I FOREIGN KEY (user_id)'
            ' REFERENCES members (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED', link.of, link.conname, link.conname);
    END LOOP;
END $$;

-- Returns the transaction's time, or the setting engagement.now in simulations.
CREATE FUNCTION engagement_now() RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('engagement.now', true), '')::timestamptz, now());

-- Logs the state changes of a statement. The setting engagement.trigger names the trigger, engagement.metadata adds to the
-- metadata; both last for the transaction. The CHECK of the log rejects a pair that is not one of the ten.
-- enable_nestloop = off: with a nested loop, a statement over 100,000 rows would compare each row with all others.
CREATE FUNCTION log_engagement_transitions() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp SET enable_nestloop = off
AS $$
DECLARE
    trigger_name CONSTANT text := nullif(current_setting('engagement.trigger', true), '');
    more CONSTANT jsonb := coalesce(nullif(current_setting('engagement.metadata', true), '')::jsonb, '{}');
    at CONSTANT timestamptz := engagement_now();
    return_after CONSTANT interval :=
        coalesce(nullif(current_setting('engagement.return_after', true), '')::interval, interval '3 days');
    answer CONSTANT text := CASE trigger_name
        WHEN 'goodbye_response_1' THEN 'confused' WHEN 'goodbye_response_2' THEN 'busy'
        WHEN 'goodbye_response_3' THEN 'all_good' WHEN 'goodbye_timeout' THEN 'timeout' END;
BEGIN
    IF trigger_name IS NULL THEN
        IF EXISTS (SELECT FROM old_rows o JOIN new_rows n USING (id) WHERE o.state <> n.state) THEN
            RAISE EXCEPTION 'a state change needs the setting engagement.trigger'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'user_engagement_states_trigger_required';
        END IF;
        RETURN NULL;
    END IF;
    INSERT INTO engagement_state_transitions (user_id, from_state, to_state, trigger, metadata, created_at)
    SELECT n.user_id, o.state, n.state, trigger_name,
           jsonb_strip_nulls(jsonb_build_object(
               'days_inactive',
               greatest(0, floor(extract(epoch FROM at - coalesce(o.last_activity_at, o.created_at)) / 86400))::integer,
               'response_type', answer,
               'unprompted_return',
               CASE WHEN o.state = 'dormant' AND at - coalesce(o.last_activity_at, o.created_at) >= return_after
                   THEN true END
           )) || more,
           at
    FROM old_rows o JOIN new_rows n USING (id)
    WHERE o.state <> n.state;
    RETURN NULL;
END $$;
CREATE TRIGGER user_engagement_states_logged AFTER UPDATE ON user_engagement_states
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION log_engagement_transitions();

-- The first state is active. A row with another state needs transitions that lead there, as in a fixture.
CREATE FUNCTION reject_state_without_history() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF NEW.state IS DISTINCT FROM (
        SELECT t.to_state FROM engagement_state_transitions t WHERE t.user_id = NEW.user_id
        ORDER BY t.created_at DESC, t.id DESC LIMIT 1
    ) THEN
        RAISE EXCEPTION 'the first state of a member is active, not %', NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'user_engagement_states_initial_active';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER user_engagement_states_initial_active BEFORE INSERT ON user_engagement_states
    FOR EACH ROW WHEN (NEW.state <> 'active') EXECUTE FUNCTION reject_state_without_history();

CREATE FUNCTION reject_state_owner_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'a state cannot be moved to another member'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'user_engagement_states_owner_immutable';
END $$;
CREATE TRIGGER user_engagement_states_owner_immutable BEFORE UPDATE ON user_engagement_states
    FOR EACH ROW WHEN (OLD.user_id <> NEW.user_id OR OLD.id <> NEW.id)
    EXECUTE FUNCTION reject_state_owner_change();

-- The log is append-only; rows are deleted only with their member.
CREATE FUNCTION reject_transition_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM members WHERE id = OLD.user_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'transitions are append-only: % rejected', TG_OP
        USING ERRCODE = 'check_violation', CONSTRAINT = 'engagement_state_transitions_append_only';
END $$;
CREATE TRIGGER engagement_state_transitions_append_only BEFORE UPDATE OR DELETE ON engagement_state_transitions
    FOR EACH ROW EXECUTE FUNCTION reject_transition_change();
CREATE TRIGGER engagement_state_transitions_no_truncate BEFORE TRUNCATE ON engagement_state_transitions
    FOR EACH STATEMENT EXECUTE FUNCTION reject_transition_change();

CREATE TRIGGER user_engagement_states_touch_updated_at BEFORE UPDATE ON user_engagement_states
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER user_profiles_touch_updated_at BEFORE UPDATE ON user_profiles
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER message_templates_touch_updated_at BEFORE UPDATE ON message_templates
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch_updated_at();
ALTER TABLE user_engagement_states SET (fillfactor = 80);
